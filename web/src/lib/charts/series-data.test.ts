import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line } from './chart-plan.ts';
import { emptyData, extentOf, fillData, firstAt, sourceOfAnswer, tickAt } from './series-data.ts';

const line = (metric: string, below = false): Line => ({ metric, label: metric, sentence: '', below });
const whole = { fromMs: 0, toMs: 1_000_000 };

test('the window is cut with one tick beyond either edge', () => {
  const data = emptyData(1);
  const timesMs = [0, 1000, 2000, 3000, 4000, 5000];
  const source = { timesMs, columns: [timesMs], periodMs: 1000 };
  fillData(data, source, { fromMs: 1500, toMs: 3000 }, { lines: [line('a')], stacked: false });
  assert.deepEqual(data.timesMs, [1000, 2000, 3000]);
  assert.equal(firstAt(timesMs, 1500), 2);
});

test('missing samples are a hole, and a missing value is no zero', () => {
  const data = emptyData(2);
  const source = {
    timesMs: [0, 1000, 60_000],
    columns: [
      [1, Number.NaN, 3],
      [1, 1, 1],
    ],
    periodMs: 1000,
  };
  fillData(data, source, whole, { lines: [line('a'), line('b')], stacked: false });
  assert.deepEqual(data.timesMs, [0, 1000, 1500, 60_000]);
  assert.deepEqual(data.raw[0], [1, null, null, 3]);
  assert.deepEqual(data.gaps, [{ fromMs: 1000, toMs: 60_000 }]);
});

test('what is measured less often than the rest has its own period and no holes', () => {
  const data = emptyData(1);
  const timesMs = Array.from({ length: 31 }, (_, i) => i * 1000);
  const columns = [timesMs.map((timeMs) => (timeMs % 10_000 === 0 ? 5 : Number.NaN))];
  fillData(data, { timesMs, columns, periodMs: 1000 }, whole, { lines: [line('a')], stacked: false });
  assert.deepEqual(data.timesMs, [0, 10_000, 20_000, 30_000]);
  assert.equal(data.periodMs, 10_000);
  assert.deepEqual(data.gaps, []);
});

test('the value at a moment is that of the nearest sample, unknown in a hole', () => {
  const data = emptyData(1);
  const source = { timesMs: [0, 1000, 60_000], columns: [[1, 2, 3]], periodMs: 1000 };
  fillData(data, source, whole, { lines: [line('a')], stacked: false });
  const valueAt = (atMs: number) => data.raw[0]?.[tickAt(data, atMs) ?? -1];
  assert.equal(valueAt(900), 2);
  assert.equal(valueAt(61_000), 3);
  assert.equal(tickAt(data, 30_000), undefined);
});

test('stacked lines stand on one another and keep what was measured', () => {
  const data = emptyData(3);
  const columns = [[10], [Number.NaN], [5]];
  const lines = [line('a'), line('b'), line('c')];
  fillData(data, { timesMs: [0], columns, periodMs: 1000 }, whole, { lines, stacked: true });
  assert.deepEqual(data.raw, [[10], [null], [5]]);
  assert.deepEqual(data.drawn, [[10], [null], [15]]);
  assert.equal(data.above, 15);
});

test('what leaves is mirrored below zero', () => {
  const data = emptyData(2);
  const lines = [line('in'), line('out', true)];
  fillData(data, { timesMs: [0], columns: [[4], [9]], periodMs: 1000 }, whole, { lines, stacked: false });
  assert.deepEqual(data.drawn, [[4], [-9]]);
  assert.deepEqual([data.above, data.below], [4, 9]);
});

test('a line the host does not have is drawn nowhere', () => {
  const data = emptyData(1);
  fillData(data, { timesMs: [0], columns: [undefined], periodMs: 1 }, whole, { lines: [line('a')], stacked: false });
  assert.deepEqual(data.raw, [[]]);
});

test('arrays are reused', () => {
  const data = emptyData(1);
  const source = { timesMs: [0, 1000], columns: [[1, 2]], periodMs: 1000 };
  const { timesMs, raw } = data;
  for (let round = 0; round < 3; round += 1) fillData(data, source, whole, { lines: [line('a')], stacked: false });
  assert.equal(data.timesMs, timesMs);
  assert.equal(data.raw, raw);
  assert.deepEqual(timesMs, [0, 1000]);
});

test('buckets of an answer stand at their middle', () => {
  const answer = { startMs: 10_000, bucketMs: 1000, question: { metrics: ['a', 'b'] } };
  const source = sourceOfAnswer(
    answer,
    {
      fields: [],
      values: [
        [1, null],
        [3, 4],
      ],
    },
    [line('b'), line('c')],
  );
  assert.deepEqual([...Array.from(source.timesMs)], [10_500, 11_500]);
  assert.deepEqual(source.columns, [[3, 4], undefined]);
});

test('a chart can tell how many ticks it draws and the longest time between neighbors', () => {
  const data = emptyData(1);
  const source = { timesMs: [0, 1000, 2000, 60_000], columns: [[1, 2, 3, 4]], periodMs: 1000 };
  fillData(data, source, whole, { lines: [line('a')], stacked: false });
  assert.deepEqual(extentOf(data), { points: 4, longestGapMs: 58_000 });
  assert.deepEqual(extentOf(emptyData(1)), { points: 0, longestGapMs: 0 });
});
