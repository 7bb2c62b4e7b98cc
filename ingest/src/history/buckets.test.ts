import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseBuckets } from './buckets.ts';

const noonMs = Date.UTC(2026, 10, 22, 12);
const table: [string, number, number, number][] = [
  ['15 minutes', 900_000, 500, 2_000],
  ['1 hour', 3_600_000, 400, 10_000],
  ['6 hours', 6 * 3_600_000, 400, 60_000],
  ['24 hours', 86_400_000, 400, 300_000],
  ['half a second', 500, 2, 2_000],
];

for (const [name, rangeMs, points, bucketMs] of table)
  test(`${name} in ${points} points are buckets of ${bucketMs / 1000} s`, () => {
    assert.equal(chooseBuckets(noonMs - rangeMs, noonMs, points).bucketMs, bucketMs);
  });

test('buckets cover the range, are no more than asked for and begin at multiples of their width', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2e12 }),
      fc.integer({ min: 1, max: 400 * 86_400_000 }),
      fc.integer({ min: 2, max: 2000 }),
      (fromMs, rangeMs, points) => {
        const { startMs, bucketMs, count } = chooseBuckets(fromMs, fromMs + rangeMs, points);
        assert.ok(count >= 1 && count <= points);
        assert.ok(startMs <= fromMs && startMs + count * bucketMs >= fromMs + rangeMs);
        assert.ok(startMs > fromMs - bucketMs);
        assert.ok(startMs % bucketMs === 0 || startMs === fromMs);
      },
    ),
  );
});

test('one point across midnight is one bucket all the same', () => {
  const midnightMs = Date.UTC(2026, 10, 22);
  const { startMs, bucketMs, count } = chooseBuckets(midnightMs - 1000, midnightMs + 1000, 1);
  assert.ok(count === 1 && startMs <= midnightMs - 1000 && startMs + bucketMs >= midnightMs + 1000);
});
