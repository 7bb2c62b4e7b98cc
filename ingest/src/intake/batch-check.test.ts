import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch, type Batch, type Sample } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { gauge, target } from '@thrum/actors/wire/schema';
import { judgeBatch, studyShape } from './batch-check.ts';
import { forgetSeriesAfterMs, SeriesCount } from './series-count.ts';

const made = (name: string) =>
  target({
    name,
    title: '',
    sentence: '',
    fields: [{ name: 'which', sentence: 'Which.' }],
    metrics: [gauge('value', 'count', 'A value.')],
    charts: [],
  });
const dictionary = dictionaryOf([made('known'), made('strange')]);
const nowMs = Date.UTC(2026, 5, 1);
const day = 86_400_000;
const when = { nowMs, retentionMs: 5 * day };
const isKnown = (name: string): boolean => name === 'known';

const sample = (timeMs: number, which = 'a', target = 0): Sample => ({ target, fields: [which], timeMs, values: [1] });
const batchOf = (...samples: Sample[]): Batch => {
  const decoded = decodeBatch(encodeBatch(dictionary, 1, 1, samples).bytes, dictionary);
  assert.ok(decoded.ok);
  return decoded.batch;
};
const judge = (batch: Batch, tooMany?: ReadonlySet<number>) => {
  const judged = judgeBatch(batch, studyShape(batch.shape, isKnown, tooMany), when);
  return { ...judged, accepted: [...judged.accepted] };
};

test('good samples are all accepted, to the last millisecond of both ends', () => {
  const judged = judge(batchOf(sample(nowMs + 300_000, 'a'), sample(nowMs - 5 * day, 'b')));
  assert.deepEqual(judged, { accepted: [1, 1], acceptedCount: 2, refused: [], whyNot: undefined });
});

test('a sample of the future or of long ago is refused with its reason, and the rest is stored', () => {
  const judged = judge(
    batchOf(sample(nowMs, 'b'), sample(nowMs + 300_001), sample(nowMs - 5 * day - 1), sample(nowMs)),
  );
  assert.deepEqual(judged.accepted, [1, 0, 0, 1]);
  assert.deepEqual(
    judged.refused.map(({ code, samples }) => [code, samples]),
    [
      ['time-ahead', 1],
      ['time-past', 1],
    ],
  );
  assert.match(judged.refused[0]?.detail ?? '', /^known:a at 2026-06-01T00:05:00.001Z$/);
  assert.deepEqual(
    judged.whyNot?.map((why) => why?.code),
    [undefined, 'time-ahead', 'time-past', undefined],
  );
});

test('samples of an unknown target are refused and counted, and the rest is stored', () => {
  const judged = judge(batchOf(sample(nowMs, 'a', 1), sample(nowMs, 'b', 1), sample(nowMs)));
  assert.deepEqual(judged.accepted, [0, 0, 1]);
  assert.deepEqual(judged.refused, [{ code: 'unknown-target', samples: 2, detail: 'strange:a' }]);
});

test('the same series twice at one time is refused, at two times it is a batch of two ticks', () => {
  const twice = judge(batchOf(sample(nowMs), sample(nowMs, 'b'), sample(nowMs)));
  assert.deepEqual(twice.accepted, [1, 1, 0]);
  assert.equal(twice.refused[0]?.code, 'time-order');
  assert.equal(judge(batchOf(sample(nowMs), sample(nowMs + 1))).acceptedCount, 2);
});

test('a time no calendar knows is refused without a fault', () => {
  const judged = judge(batchOf(sample(9e15, 'a')));
  assert.equal(judged.refused[0]?.code, 'time-ahead');
});

test('series beyond the bound are refused, known ones go on', () => {
  const count = new SeriesCount(2);
  const first = batchOf(sample(nowMs, 'a'), sample(nowMs, 'b'));
  assert.equal(count.admit(first.shape, 0), undefined);
  const second = batchOf(sample(nowMs, 'a'), sample(nowMs, 'c'), sample(nowMs, 'b'));
  const tooMany = count.admit(second.shape, 1_000);
  assert.deepEqual([...(tooMany ?? [])], [1]);
  const judged = judge(second, tooMany);
  assert.deepEqual(judged.accepted, [1, 0, 1]);
  assert.equal(judged.refused[0]?.code, 'too-many-series');
});

test('a series that is gone for ten minutes makes room for another, one that was there all the time does not', () => {
  const count = new SeriesCount(2);
  count.admit(batchOf(sample(nowMs, 'a'), sample(nowMs, 'b')).shape, 0);
  count.admit(batchOf(sample(nowMs, 'a')).shape, 1_000);
  const next = batchOf(sample(nowMs, 'a'), sample(nowMs, 'c')).shape;
  assert.equal(count.admit(next, forgetSeriesAfterMs)?.size, 1);
  assert.equal(count.admit(next, forgetSeriesAfterMs + 1_000), undefined);
});

test('a batch of nothing but series that are too many is judged at once, or one agent would hold up all others', () => {
  const count = new SeriesCount(8_192);
  const named = (prefix: string): Batch =>
    batchOf(...Array.from({ length: 8_192 }, (_, i) => sample(nowMs, `${prefix}${i}`)));
  count.admit(named('a').shape, nowMs);
  const { shape } = named('b');
  const beganMs = performance.now();
  assert.equal(count.admit(shape, nowMs)?.size, 8_192);
  assert.ok(performance.now() - beganMs < 600, `took ${performance.now() - beganMs} ms`);
});
