import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeStep, timeTicks } from './time-axis.ts';

test('ticks stand at round times, also when the window begins between milliseconds', () => {
  assert.deepEqual(timeTicks(59_999.5, 180_000.2, 60_000, 0), [60_000, 120_000, 180_000]);
});

test('there are as many as find room', () => {
  assert.equal(timeStep(300_000, 600, 84), 60_000);
  assert.equal(timeStep(300_000, 300, 84), 120_000);
  assert.equal(timeStep(86_400_000, 600, 84), 6 * 3_600_000);
  assert.equal(timeStep(60_000, 600, 84), 10_000);
});

test('hours are those of the reader’s time zone', () => {
  const zoneMs = 5.5 * 3_600_000;
  const [first] = timeTicks(0, 86_400_000, 6 * 3_600_000, zoneMs);
  assert.equal(((first ?? 0) + zoneMs) % (6 * 3_600_000), 0);
});
