/**
 * Which samples of a batch may be stored, and why the others may not. Pure. What depends on the shape alone (unknown targets, series
 * that are too many, series that stand in it twice) is found out once per shape, the rest is one look at the time of each sample.
 */
import type { Batch, Shape } from '@thrum/actors/wire/batch';
import { limits } from '@thrum/actors/wire/limits';
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import { seriesKey } from '../live/table.ts';

export type RefusedSamples = { readonly code: RefusalCode; readonly samples: number; readonly detail: string };

/** What is wrong with each sample whatever its time is; `undefined` where nothing is (the usual case). */
export type ShapeFacts = {
  readonly refused: readonly (RefusalCode | undefined)[] | undefined;
  /** Names equal series by equal numbers, when a series stands in the shape more than once. */
  readonly groups: readonly number[] | undefined;
};

export const studyShape = (
  shape: Shape,
  isKnownTarget: (name: string) => boolean,
  tooMany: ReadonlySet<number> | undefined,
): ShapeFacts => {
  const refused = shape.series.map((one, i): RefusalCode | undefined => {
    if (!isKnownTarget(one.target.name)) return 'unknown-target';
    return tooMany?.has(i) === true ? 'too-many-series' : undefined;
  });
  const first = new Map<string, number>();
  const groups = shape.series.map((one, i) => {
    const key = seriesKey(one);
    const known = first.get(key);
    if (known === undefined) first.set(key, i);
    return known ?? i;
  });
  return {
    refused: refused.some((code) => code !== undefined) ? refused : undefined,
    groups: first.size < groups.length ? groups : undefined,
  };
};

export type Judged = {
  /** One per sample: 1 = to be stored. */
  readonly accepted: Uint8Array;
  readonly acceptedCount: number;
  readonly refused: readonly RefusedSamples[];
  /** One per sample when any is refused. */
  readonly whyNot: readonly (WhyNot | undefined)[] | undefined;
};

export type WhyNot = { readonly code: RefusalCode; readonly detail: string };

/** Another clock would say otherwise. */
export const isForTime = ({ code }: Pick<WhyNot, 'code'>): boolean => code === 'time-ahead' || code === 'time-past';

export const judgeBatch = (
  batch: Batch,
  facts: ShapeFacts,
  when: { readonly nowMs: number; readonly retentionMs: number },
): Judged => {
  const n = batch.timesMs.length;
  const accepted = new Uint8Array(n).fill(1);
  const latestMs = when.nowMs + limits.maxAheadMs;
  const earliestMs = when.nowMs - when.retentionMs;
  const refused: { code: RefusalCode; samples: number; detail: string }[] = [];
  let acceptedCount = n;
  let whyNot: (WhyNot | undefined)[] | undefined;
  const turnDown = (i: number, code: RefusalCode, detail: string): void => {
    accepted[i] = 0;
    acceptedCount -= 1;
    whyNot ??= new Array<WhyNot | undefined>(n).fill(undefined);
    whyNot[i] = { code, detail };
    const same = refused.find((one) => one.code === code);
    if (same) same.samples += 1;
    else refused.push({ code, samples: 1, detail });
  };
  const { groups } = facts;
  const taken = new Set<string>();
  for (let i = 0; i < n; i += 1) {
    const timeMs = batch.timesMs[i] as number;
    const code = facts.refused?.[i];
    if (code) turnDown(i, code, nameOf(batch, i));
    else if (timeMs > latestMs) turnDown(i, 'time-ahead', `${nameOf(batch, i)} at ${describeMs(timeMs)}`);
    else if (timeMs < earliestMs) turnDown(i, 'time-past', `${nameOf(batch, i)} at ${describeMs(timeMs)}`);
    else if (groups) {
      const key = `${groups[i] ?? i} ${timeMs}`;
      if (taken.has(key)) turnDown(i, 'time-order', nameOf(batch, i));
      else taken.add(key);
    }
  }
  return { accepted, acceptedCount, refused, whyNot };
};

const nameOf = (batch: Batch, i: number): string => (batch.shape.series[i]?.id ?? '').slice(0, 200);

const describeMs = (timeMs: number): string =>
  Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : `${timeMs} ms`;
