import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowWindow } from './row-window.ts';

test('only rows in view and a few around are there', () => {
  assert.deepEqual(rowWindow(5000, 32, 100, 900), { first: 0, end: 31 });
  assert.deepEqual(rowWindow(5000, 32, -32_000, 900), { first: 994, end: 1035 });
});

test('a short list is there as a whole, and the end of a long one is no further than its end', () => {
  assert.deepEqual(rowWindow(3, 32, 100, 900), { first: 0, end: 3 });
  assert.deepEqual(rowWindow(100, 32, -3000, 900), { first: 87, end: 100 });
  assert.deepEqual(rowWindow(0, 32, 100, 900), { first: 0, end: 0 });
});
