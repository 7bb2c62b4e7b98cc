import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Shape } from '@thrum/actors/wire/batch';
import { forgetSeriesAfterMs } from './series-count.ts';
import { SeriesCounts } from './series-counts.ts';

const shapeOf = (...names: string[]): Shape => {
  const series = names.map((name) => ({ target: { name: 'disk' }, fields: [name] }));
  return { series, offsets: Uint32Array.from(names, (_, i) => i) } as unknown as Shape;
};
const countsOf = (limits: { maxHostsAway?: number; maxSeriesAway?: number } = {}): SeriesCounts =>
  new SeriesCounts({ maxSeriesPerHost: 2, maxHostsAway: 10, maxSeriesAway: 100, ...limits });
const refused = (counts: SeriesCounts, host: string, nowMs: number, ...names: string[]): number => {
  const count = counts.hold(host, nowMs).admit(shapeOf(...names), nowMs)?.size ?? 0;
  counts.release(host, nowMs);
  return count;
};

test('a host that connects again has no more room than before', () => {
  const counts = countsOf();
  assert.equal(refused(counts, 'h', 0, 'a', 'b'), 0);
  for (let again = 1; again < 5; again += 1) assert.equal(refused(counts, 'h', again * 1000, `x${again}`), 1);
  assert.equal(refused(counts, 'h', 6000, 'a', 'b'), 0);
  assert.equal(refused(counts, 'other', 7000, 'x', 'y'), 0);
});

test('time away makes series old, and a host that stays away is forgotten', () => {
  const counts = countsOf();
  refused(counts, 'h', 0, 'a', 'b');
  assert.equal(refused(counts, 'h', forgetSeriesAfterMs - 1, 'a', 'c'), 1);
  assert.equal(refused(counts, 'h', forgetSeriesAfterMs, 'c'), 0, 'b was not there for ten minutes');
  assert.equal(counts.hosts, 1);
  refused(counts, 'other', 2 * forgetSeriesAfterMs, 'a');
  assert.equal(counts.hosts, 1);
  assert.equal(counts.forgottenEarly, 0);
});

test('of two connections the host is here until the last is gone', () => {
  const counts = countsOf({ maxHostsAway: 0 });
  const one = counts.hold('h', 0);
  assert.equal(counts.hold('h', 0), one);
  counts.release('h', 0);
  assert.equal(counts.hold('h', 0), one);
  counts.release('h', 0);
  counts.release('h', 0);
  assert.equal(counts.hosts, 0);
});

test('beyond the bounds in hosts or series the host gone longest is forgotten and counted', () => {
  for (const counts of [countsOf({ maxHostsAway: 2 }), countsOf({ maxSeriesAway: 4 })]) {
    for (const host of ['h1', 'h2', 'h3']) refused(counts, host, 0, 'a', 'b');
    assert.deepEqual([counts.hosts, counts.forgottenEarly], [2, 1]);
    assert.equal(refused(counts, 'h2', 0, 'c'), 1, 'remembered');
    assert.equal(refused(counts, 'h1', 0, 'c'), 0, 'forgotten');
  }
});
