import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterClean, afterFailure, inFlightAllowed, startPace } from './pace.ts';

test('twenty clean bulks allow one more at once, up to four', () => {
  let pace = startPace;
  for (let i = 0; i < 19; i += 1) pace = afterClean(pace);
  assert.equal(inFlightAllowed(pace), 3);
  pace = afterClean(pace);
  assert.equal(inFlightAllowed(pace), 4);
  for (let i = 0; i < 100; i += 1) pace = afterClean(pace);
  assert.equal(inFlightAllowed(pace), 4);
});

test('after a failure one trial at a time, and half as many as before once it succeeds', () => {
  const failed = afterFailure({ allowed: 4, clean: 0, failures: 0 }, 0.5).pace;
  assert.equal(inFlightAllowed(failed), 1);
  assert.equal(inFlightAllowed(afterClean(failed)), 2);
});

test('the wait doubles with each failure, is spread over its whole length and never longer than five seconds', () => {
  let pace = startPace;
  const waits: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const next = afterFailure(pace, 1);
    waits.push(next.waitMs);
    pace = next.pace;
  }
  assert.deepEqual(waits.slice(0, 7), [100, 200, 400, 800, 1600, 3200, 5000]);
  assert.equal(waits.at(-1), 5000);
  assert.equal(afterFailure(pace, 0).waitMs, 0);
});
