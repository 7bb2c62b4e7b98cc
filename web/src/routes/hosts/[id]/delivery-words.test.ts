import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countText, samplesText, sayDelivery, stretchText, type DeliverySaid } from './delivery-words.ts';
import type { Delivery, DeliveryFigures } from './delivery.ts';

const at = (hours: number, minutes: number, seconds = 0, day = 5): number =>
  new Date(2026, 2, day, hours, minutes, seconds).getTime();

const say = (delivery: Delivery, some: Partial<DeliveryFigures> = {}): DeliverySaid =>
  sayDelivery(delivery, {
    figures: { stored: 9, waiting: 1, refused: 0, missing: 0, oldestMs: 720_000, isInMemory: false, ...some },
    sampleMs: at(10, 2, 11),
    wallMs: at(10, 30),
  });

test('counts are exact while they are few and have three digits when they are many', () => {
  assert.deepEqual([0, 1, 12_340, 999_999, 1_234_567, 45_600_000, 987_654_321, 1_500_000_000].map(countText), [
    '0',
    '1',
    '12,340',
    '999,999',
    '1.23 million',
    '45.6 million',
    '988 million',
    '1.50 billion',
  ]);
  assert.equal(samplesText(1), '1 sample');
  assert.equal(samplesText(2), '2 samples');
});

test('what is well is said quietly, and what is missing is not forgotten', () => {
  assert.deepEqual([say({ kind: 'delivered' }).word, say({ kind: 'delivered' }).shape], ['All delivered', 'dot']);
  const lost = say({ kind: 'delivered' }, { missing: 12_340 });
  assert.deepEqual([lost.word, lost.short], ['Up to date', 'up to date, 12,340 samples missing']);
});

test('who catches up says how far behind and how long it takes', () => {
  const said = say({ kind: 'catching-up', behindMs: 720_000, leftMs: 170_000 });
  assert.equal(said.short, 'catching up, 12 min behind');
  assert.match(said.sentence, /^12 min behind; at this rate done in about 3 min\./);
  assert.match(say({ kind: 'catching-up', behindMs: 1, leftMs: 900 }).sentence, /about 5 s/);
  assert.match(say({ kind: 'catching-up', behindMs: 1, leftMs: 31_000 }).sentence, /about 35 s/);
  assert.match(say({ kind: 'behind', behindMs: 720_000 }).sentence, /^12 min behind, and not becoming less/);
});

test('a store that is away is named with its time, and that nothing is lost', () => {
  const said = say({ kind: 'store-away', sinceMs: at(10, 18) });
  assert.match(said.sentence, /not answered since 10:18:00\..* on the disk of the host and follows\.$/);
  assert.match(say({ kind: 'store-away', sinceMs: at(22, 0, 0, 4) }).sentence, /since 4 Mar 22:00:00\./);
});

test('figures of an agent that is not heard are dated', () => {
  assert.match(say({ kind: 'cut' }).sentence, /last figures, of 10:02:11\./);
  assert.match(say({ kind: 'stopped' }).sentence, /^As of 10:02:11\./);
});

test('only what may be lost soon is a warning', () => {
  const kinds: Delivery[] = [
    { kind: 'delivered' },
    { kind: 'stopped' },
    { kind: 'cut' },
    { kind: 'memory' },
    { kind: 'store-away', sinceMs: 0 },
    { kind: 'catching-up', behindMs: 1, leftMs: 1 },
    { kind: 'behind', behindMs: 1 },
  ];
  const warned = kinds.filter((one) => say(one).shape === 'triangle');
  assert.deepEqual(
    warned.map(({ kind }) => kind),
    ['memory'],
  );
});

test('a stretch has its day when that is not today', () => {
  assert.equal(stretchText(at(10, 2), at(10, 14), at(12, 0)), '10:02:00–10:14:00 (12 min)');
  assert.equal(stretchText(at(10, 2), at(10, 14), at(12, 0, 0, 6)), '5 Mar 10:02:00–10:14:00 (12 min)');
});
