import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { decodeOverviewFrame, encodeOverviewFrame, overviewColumns, type OverviewRow } from '@thrum/actors/wire/frame';
import { createOverviewCache, overviewLimits } from './overview-cache.ts';

const hostId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const row = (n: number, sampleMs: number, ageMs = 2): OverviewRow => ({
  hostId: hostId(n),
  sampleMs,
  ageMs,
  values: Float32Array.from(overviewColumns, (_, i) => n * 10 + i),
});
const frame = (...rows: OverviewRow[]): Uint8Array => encodeOverviewFrame(rows);
const start = () => {
  const clock = fakeClock(0);
  const cache = createOverviewCache(() => clock.monotonicMs());
  const greeting = (): OverviewRow[][] => cache.greeting().map((bytes) => decodeOverviewFrame(bytes) ?? []);
  return { clock, cache, greeting };
};

test('a greeting holds the last minute oldest first, and the last row of every host', () => {
  const { clock, cache, greeting } = start();
  for (let second = 0; second < 100; second += 1) {
    assert.equal(cache.add(frame(row(1, second * 1000))), true);
    clock.advance(1000);
  }
  const [minute, last] = greeting();
  assert.deepEqual(
    minute?.map((one) => one.sampleMs),
    Array.from({ length: 60 }, (_, i) => (40 + i) * 1000),
  );
  assert.deepEqual(last, [row(1, 99_000, 1002)]);
});

test('a row grows older while it lies here', () => {
  const { clock, cache } = start();
  cache.add(frame(row(1, 5, 10), row(2, 5, 10)));
  clock.advance(600_000);
  cache.add(frame(row(2, 600_005, 4)));
  const rows = decodeOverviewFrame(cache.lastValues());
  assert.deepEqual(
    rows?.map((one) => one.ageMs),
    [600_010, 4],
  );
});

test('an older row never replaces a newer one', () => {
  const { cache } = start();
  cache.add(frame(row(1, 2000)));
  cache.add(frame(row(1, 1000)));
  assert.equal(decodeOverviewFrame(cache.lastValues())?.[0]?.sampleMs, 2000);
});

test('what an ingest node kept fills the minute, in order with what came since', () => {
  const { clock, cache, greeting } = start();
  clock.advance(100_000);
  cache.add(frame(row(2, 99_990)));
  cache.fill([frame(row(1, 97_000)), frame(row(1, 98_000)), frame(), new Uint8Array([9, 9])], {
    wallMs: clock.wallMs(),
  });
  const [minute, last] = greeting();
  assert.deepEqual(
    minute?.map((one) => one.sampleMs),
    [97_000, 98_000, 99_990],
  );
  assert.deepEqual(new Map(last?.map((one) => [one.hostId, one.ageMs])).get(hostId(1)), 2000);
});

test('bytes that are no overview frame are refused', () => {
  const { cache } = start();
  assert.equal(cache.add(new Uint8Array([1, 2, 3])), false);
  assert.equal(cache.add(frame(row(1, 1)).subarray(0, 40)), false);
  assert.deepEqual(cache.size(), { hosts: 0, frames: 0, bytes: 0 });
});

test('a large fleet is thinned by whole seconds, and no host is left out of the last values', () => {
  const { clock, cache, greeting } = start();
  for (let second = 0; second < 60; second += 1) {
    for (const node of [0, 1]) {
      cache.add(frame(...Array.from({ length: 1000 }, (_, i) => row(node * 1000 + i, second * 1000))));
      clock.advance(500);
    }
  }
  const [minute, last] = greeting();
  assert.equal(last?.length, 2000);
  const bytes = (minute?.length ?? 0) * 64;
  assert.ok(bytes <= overviewLimits.greetingBytes * 1.2 && bytes > overviewLimits.greetingBytes / 2, String(bytes));
  const nodes = new Set(minute?.map((one) => Number(one.hostId.slice(-6)) >= 1000));
  assert.equal(nodes.size, 2, 'both ingest nodes have spark lines');
});

test('the cache stays within its bytes, and a forgotten host is gone', () => {
  const { cache } = start();
  const large = frame(...Array.from({ length: 10_000 }, (_, i) => row(i, 1)));
  for (let i = 0; i < 60; i += 1) cache.add(large);
  assert.ok(cache.size().bytes <= overviewLimits.maxBytes);
  cache.forget(hostId(5));
  assert.equal(cache.size().hosts, 9_999);
});
