import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterClean, afterFailure, afterPartial, inFlightAllowed, startPace, waitAfter } from './pace.ts';

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

test('a server that was away for long begins again as at the start as soon as it takes one: a step every twenty bulks would hold up the drain', () => {
  let pace = startPace;
  for (let i = 0; i < 30; i += 1) pace = afterFailure(pace, 0.5).pace;
  assert.equal(inFlightAllowed(pace), 1);
  assert.deepEqual(afterClean(pace), startPace);
  let busy = startPace;
  for (let i = 0; i < 4; i += 1) busy = afterFailure(busy, 0.5).pace;
  assert.equal(inFlightAllowed(afterClean(busy)), 1, 'one that answered a moment ago has enough');
});

test('the wait doubles with each failure, is spread over its whole length and never longer than five seconds', () => {
  const waits = Array.from({ length: 12 }, (_, failures) => waitAfter(failures, 1));
  assert.deepEqual(waits.slice(0, 7), [100, 200, 400, 800, 1600, 3200, 5000]);
  assert.equal(waits.at(-1), 5000);
  assert.deepEqual(
    [0, 1, 4].map((failures) => waitAfter(failures, 0)),
    [0, 0, 0],
  );
});

test('from the fifth failure on no wait is shorter than two seconds, so that a disk that is full for hours is not asked more often', () => {
  for (let failures = 5; failures < 100; failures += 1) assert.ok(waitAfter(failures, 0) >= 2000);
});

test('a bulk of which some was taken halves what may be on its way and is no failure', () => {
  assert.deepEqual(afterPartial({ allowed: 4, clean: 7, failures: 3 }), { allowed: 2, clean: 0, failures: 0 });
});
