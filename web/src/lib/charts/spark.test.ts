import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strokesOf, type SparkSource } from './spark.ts';

const source = (timesMs: number[], values: number[]): SparkSource => ({
  length: timesMs.length,
  timeMs: (i) => timesMs[i] ?? Number.NaN,
  value: (i) => values[i] ?? Number.NaN,
  fromMs: 0,
  toMs: 10_000,
  periodMs: 1000,
  top: 100,
});

test('time runs to the right edge by the clock, not by the newest sample', () => {
  const [stroke] = strokesOf(source([0, 1000, 2000], [0, 50, 100]), 100, 12);
  assert.deepEqual(stroke, [
    { x: 0, y: 11 },
    { x: 10, y: 6 },
    { x: 20, y: 1 },
  ]);
});

test('a hole ends a stroke, and so does an unknown value', () => {
  assert.equal(strokesOf(source([0, 1000, 6000, 7000], [1, 1, 1, 1]), 100, 12).length, 2);
  assert.equal(strokesOf(source([0, 1000, 2000], [1, Number.NaN, 1]), 100, 12).length, 2);
});

test('values beyond the top stay inside', () => {
  assert.equal(strokesOf(source([0], [900]), 100, 12)[0]?.[0]?.y, 1);
});
