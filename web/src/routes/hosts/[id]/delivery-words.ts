/** What is said of the delivery of a host: a word with its shape, a sentence, and numbers as they are read. */
import { clockText, dateText, spanText } from '#lib/charts/clock-text.ts';
import type { Shape } from '#lib/hosts/state.ts';
import type { Delivery, DeliveryFigures } from './delivery.ts';

/** Every one of a few, three digits of many. */
export const countText = (count: number): string => {
  const units = [
    { of: 1e9, name: 'billion' },
    { of: 1e6, name: 'million' },
  ];
  const unit = units.find(({ of }) => count >= of);
  if (unit === undefined) return Math.round(count).toLocaleString('en-US');
  return `${(count / unit.of).toPrecision(count >= 1000 * unit.of ? 4 : 3)} ${unit.name}`;
};

export const samplesText = (count: number): string => `${countText(count)} ${count === 1 ? 'sample' : 'samples'}`;

/** `short` stands alone, in the head of the page. */
export type DeliverySaid = {
  readonly word: string;
  readonly short: string;
  readonly shape: Shape;
  readonly sentence: string;
};

export type SaidWith = { readonly figures: DeliveryFigures; readonly sampleMs: number; readonly wallMs: number };

const aboutText = (ms: number): string =>
  ms < 90_000 ? `about ${Math.max(5, Math.ceil(ms / 5_000) * 5)} s` : `about ${spanText(ms + 59_999)}`;

export const sayDelivery = (delivery: Delivery, { figures, sampleMs, wallMs }: SaidWith): DeliverySaid => {
  const { missing } = figures;
  switch (delivery.kind) {
    case 'delivered':
      return {
        word: missing > 0 ? 'Up to date' : 'All delivered',
        short: missing > 0 ? `up to date, ${samplesText(missing)} missing` : 'all delivered',
        shape: 'dot',
        sentence: 'What it measures is in the store within seconds.',
      };
    case 'catching-up':
      return {
        word: 'Catching up',
        short: `catching up, ${spanText(delivery.behindMs)} behind`,
        shape: 'ring',
        sentence: `${spanText(delivery.behindMs)} behind; at this rate done in ${aboutText(delivery.leftMs)}. Live values do not wait for it.`,
      };
    case 'behind':
      return {
        word: 'Behind',
        short: `${spanText(delivery.behindMs)} behind`,
        shape: 'ring',
        sentence: `${spanText(delivery.behindMs)} behind, and not becoming less at the moment. All of it is kept on the disk of the host.`,
      };
    case 'store-away':
      return {
        word: 'Kept on the host',
        short: `kept on the host, ${spanText(figures.oldestMs)}`,
        shape: 'ring',
        sentence: `The store has not answered since ${dateText(delivery.sinceMs, wallMs)}. What is not stored is on the disk of the host and follows.`,
      };
    case 'memory':
      return {
        word: 'In memory only',
        short: 'in memory only',
        shape: 'triangle',
        sentence:
          'Its disk takes nothing: what waits is lost if the agent ends now. Make room on the disk, or mend it.',
      };
    case 'cut':
      return {
        word: 'Not heard',
        short: 'not heard',
        shape: 'ring',
        sentence: `These are its last figures, of ${dateText(sampleMs, wallMs)}. What it measures meanwhile it keeps on its disk and sends later.`,
      };
    case 'stopped':
      return {
        word: 'Stopped',
        short: 'stopped',
        shape: 'ring',
        sentence: `As of ${dateText(sampleMs, wallMs)}. What waited then is on its disk and follows at the next start.`,
      };
  }
};

/** "10:02:11–10:14:00 (12 min)", with the day when that is not today. */
export const stretchText = (fromMs: number, toMs: number, wallMs: number): string =>
  `${dateText(fromMs, wallMs)}–${clockText(toMs)} (${spanText(toMs - fromMs)})`;
