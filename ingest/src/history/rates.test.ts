import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ratesOf } from './rates.ts';

test('a rate is the growth over the real time between two samples, not over the width of the bucket', () => {
  assert.deepEqual(ratesOf([100, 300, 400], [1000, 2900, 4100]), [null, 200 / 1.9, 100 / 1.2]);
});

test('a counter that begins again gives no value, and goes on from there', () => {
  assert.deepEqual(ratesOf([1000, 1100, 5, 25], [0, 1000, 2000, 3000]), [null, 100, null, 20]);
});

test('after a gap the rate is the average over the gap', () => {
  assert.deepEqual(ratesOf([0, null, null, 30], [0, null, null, 3000]), [null, null, null, 10]);
});

test('a counter that began again during a gap gives no value', () => {
  assert.deepEqual(ratesOf([1000, null, 30, 40], [0, null, 2000, 3000]), [null, null, null, 10]);
});

test('a counter that stands still is 0, and one seen once has no rate', () => {
  assert.deepEqual(ratesOf([7, 7], [0, 1000]), [null, 0]);
  assert.deepEqual(ratesOf([null, 7], [null, 1000]), [null, null]);
  assert.deepEqual(ratesOf([], []), []);
});

test('no rate is ever higher than the fastest growth between two samples, whatever is missing', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ step: fc.integer({ min: 0, max: 1000 }), there: fc.boolean() })), (steps) => {
      let total = 0;
      const values = steps.map(({ step, there }) => {
        total += step;
        return there ? total : null;
      });
      const times = steps.map(({ there }, k) => (there ? k * 1000 : null));
      for (const rate of ratesOf(values, times)) assert.ok(rate === null || (rate >= 0 && rate <= 1000));
    }),
  );
});
