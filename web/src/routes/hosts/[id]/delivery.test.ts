import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barOf, deliveryOf, drainPerSecond, figuresOf, type DeliveryFacts, type DeliveryFigures } from './delivery.ts';

const figures = (some: Partial<DeliveryFigures> = {}): DeliveryFigures => ({
  stored: 1000,
  waiting: 40,
  refused: 0,
  missing: 0,
  oldestMs: 1000,
  isInMemory: false,
  ...some,
});
const facts = (some: Partial<DeliveryFacts> = {}): DeliveryFacts => ({
  figures: figures(),
  connection: 'connected',
  periodMs: 1000,
  storeAwaySinceMs: undefined,
  drainPerSecond: undefined,
  ...some,
});
const late = figures({ waiting: 6000, oldestMs: 120_000 });

test('an agent that tells no account has no figures', () => {
  assert.equal(
    figuresOf(() => undefined),
    undefined,
  );
  const older: Record<string, number> = { samples_refused: 3, queue_batches: 2 };
  assert.equal(
    figuresOf((metric) => older[metric]),
    undefined,
  );
});

test('the figures are the sums the agent tells, not how fast they grow', () => {
  const told: Record<string, number> = {
    samples_stored: 900,
    samples_queued: 60,
    samples_gap: 30,
    samples_refused: 2.5,
    samples_refused_total: 10,
    queue_age: 12.5,
    queue_degraded: 1,
  };
  assert.deepEqual(
    figuresOf((metric) => told[metric]),
    { stored: 900, waiting: 60, refused: 10, missing: 30, oldestMs: 12_500, isInMemory: true },
  );
});

test('what is on its way for seconds is delivered, even while the store is just gone', () => {
  assert.deepEqual(deliveryOf(facts()), { kind: 'delivered' });
  assert.deepEqual(deliveryOf(facts({ storeAwaySinceMs: 5 })), { kind: 'delivered' });
});

test('an agent that measures each minute is not behind for as long as that takes', () => {
  const seldom = facts({ figures: figures({ oldestMs: 61_000 }), periodMs: 60_000 });
  assert.equal(deliveryOf(seldom).kind, 'delivered');
  assert.equal(deliveryOf({ ...seldom, periodMs: 1000 }).kind, 'behind');
});

test('what waits and becomes less is done at the rate of now; what does not is behind', () => {
  assert.deepEqual(deliveryOf(facts({ figures: late, drainPerSecond: 200 })), {
    kind: 'catching-up',
    behindMs: 120_000,
    leftMs: 30_000,
  });
  for (const rate of [undefined, 0, -5])
    assert.deepEqual(deliveryOf(facts({ figures: late, drainPerSecond: rate })), {
      kind: 'behind',
      behindMs: 120_000,
    });
});

test('the worst is said first: not heard, then no disk, then no store', () => {
  const all = { figures: { ...late, isInMemory: true }, storeAwaySinceMs: 7, drainPerSecond: 5 };
  assert.equal(deliveryOf(facts({ ...all, connection: 'left' })).kind, 'stopped');
  for (const connection of ['down', 'silent', 'reconnecting'] as const)
    assert.equal(deliveryOf(facts({ ...all, connection })).kind, 'cut');
  assert.equal(deliveryOf(facts(all)).kind, 'memory');
  assert.deepEqual(deliveryOf(facts({ ...all, figures: late })), { kind: 'store-away', sinceMs: 7 });
});

test('the rate is that of the last twenty seconds, over ticks without the figure', () => {
  const timesMs = Array.from({ length: 60 }, (_, i) => i * 1000);
  const levels = timesMs.map((_, i) => (i % 3 === 0 ? Number.NaN : i < 38 ? i * 100 : 3800 - (i - 38) * 50));
  assert.equal(drainPerSecond(timesMs, levels), 50);
  assert.equal(drainPerSecond(timesMs.slice(0, 30), levels), -100);
});

test('of too short a while there is no rate', () => {
  assert.equal(drainPerSecond([], []), undefined);
  assert.equal(drainPerSecond([0, 1000, 2000], [9, 6, 3]), undefined);
  assert.equal(drainPerSecond([0, 1000, 9000], [9, Number.NaN, Number.NaN]), undefined);
});

test('the parts of the bar are together all of it, and a few among millions are seen', () => {
  const shares = barOf({ stored: 5_000_000, waiting: 100, refused: 0, missing: 1 }, false);
  assert.ok(shares.waiting > 0.01 && shares.missing > 0.01);
  assert.equal(shares.refused, 0);
  const sum = shares.stored + shares.waiting + shares.refused + shares.missing;
  assert.ok(Math.abs(sum - 1) < 1e-9);
  assert.deepEqual(barOf({ stored: 1, waiting: 3, refused: 0, missing: 0 }, false), {
    stored: 0.25,
    waiting: 0.75,
    refused: 0,
    missing: 0,
  });
});

test('what is on its way as always is no part that meets the eye', () => {
  const few = { stored: 999_900, waiting: 100, refused: 0, missing: 0 };
  assert.ok(Math.abs(barOf(few, true).waiting - 0.0001) < 1e-9);
  assert.ok(barOf(few, false).waiting > 0.01);
});

test('nothing measured is an empty bar', () => {
  assert.deepEqual(barOf({ stored: 0, waiting: 0, refused: 0, missing: 0 }, false), {
    stored: 0,
    waiting: 0,
    refused: 0,
    missing: 0,
  });
});
