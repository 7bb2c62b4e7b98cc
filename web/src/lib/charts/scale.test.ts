import assert from 'node:assert/strict';
import { test } from 'node:test';
import { niceTop, splitsOf, StickyAxis } from './scale.ts';

const mebi = 1024 ** 2;

test('tops are round', () => {
  assert.deepEqual(
    [0, 0.9, 1, 1.1, 7, 8.5, 95, 1234].map((value) => niceTop(value, false)),
    [1, 1, 1, 2, 8, 10, 100, 2000],
  );
  assert.equal(niceTop(7.6 * 1024 * mebi, true), 8 * 1024 * mebi);
  assert.equal(niceTop(900 * mebi, true), 1024 * mebi);
});

test('gridlines are three or four and hold zero', () => {
  const axis = new StickyAxis({ least: 1, binary: false });
  assert.deepEqual(splitsOf(axis.fit(7, 0, false, 0)), [0, 2, 4, 6, 8]);
  const mirrored = splitsOf(new StickyAxis({ least: 1, binary: false }).fit(8, 2, true, 0));
  assert.deepEqual(mirrored, [-4, 0, 4, 8]);
  assert.ok(splitsOf(new StickyAxis({ least: 1, binary: false }).fit(8, 8, true, 0)).includes(0));
});

test('percent stays at its fixed top', () => {
  const axis = new StickyAxis({ max: 100, least: 1, binary: false });
  assert.deepEqual(axis.fit(3, 0, false, 0), { top: 100, bottom: 0, step: 25 });
});

test('it grows at once and shrinks only after a minute of less', () => {
  const axis = new StickyAxis({ least: 1, binary: false });
  assert.equal(axis.fit(10, 0, false, 0).top, 10);
  assert.equal(axis.fit(90, 0, false, 1000).top, 100);
  assert.equal(axis.fit(10, 0, false, 2000).top, 100);
  assert.equal(axis.fit(30, 0, false, 30_000).top, 100);
  assert.equal(axis.fit(10, 0, false, 61_999).top, 100);
  assert.equal(axis.fit(10, 0, false, 62_000).top, 30);
});
