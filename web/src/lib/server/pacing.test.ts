import assert from 'node:assert/strict';
import { test } from 'node:test';
import { look, mayAdd, offer, pacingLimits, startPacing } from './pacing.ts';

const { easyBytes, maxQueuedBytes, patienceMs } = pacingLimits;

test('a connection that takes everything is sent everything', () => {
  assert.deepEqual(offer(startPacing, 3000, 0, 0), { pacing: startPacing, verdict: 'send' });
  assert.equal(offer(startPacing, 3000, easyBytes, 0).verdict, 'send');
});

test('frames are skipped while more than 64 KiB wait', () => {
  assert.equal(offer(startPacing, 100, easyBytes + 1, 0).verdict, 'skip');
});

test('no message brings the queue over 256 KiB, unless it is larger by itself and the queue is empty', () => {
  assert.equal(mayAdd(maxQueuedBytes - 1000, 1000), true);
  assert.equal(mayAdd(maxQueuedBytes - 999, 1000), false);
  assert.equal(mayAdd(maxQueuedBytes * 4, 1), false);
  assert.equal(mayAdd(maxQueuedBytes * 4, 0), true);
});

test('a tab without progress for 15 s is closed, and one that catches up is not', () => {
  let { pacing } = look(startPacing, easyBytes + 10, 1000);
  assert.equal(look(pacing, easyBytes + 10, 1000 + patienceMs - 1).close, false);
  assert.equal(look(pacing, easyBytes + 10, 1000 + patienceMs).close, true);
  assert.equal(offer(pacing, 10, easyBytes + 10, 1000 + patienceMs).verdict, 'close');
  ({ pacing } = look(pacing, easyBytes, 10_000));
  assert.equal(pacing, startPacing);
  assert.equal(look(pacing, easyBytes + 10, 1000 + patienceMs).close, false);
});

test('a slow tab that still takes bytes is given time', () => {
  let { pacing } = look(startPacing, 200_000, 0);
  ({ pacing } = look(pacing, 200_000 - easyBytes / 4, 14_000));
  assert.equal(look(pacing, 200_000 - easyBytes / 4, 20_000).close, false);
  assert.equal(look(pacing, 200_000 - easyBytes / 4, 29_000).close, true);
});

test('one very large message gets more time by its size', () => {
  const { pacing } = look(startPacing, maxQueuedBytes * 4, 0);
  assert.equal(look(pacing, maxQueuedBytes * 4, patienceMs * 4 - 1).close, false);
  assert.equal(look(pacing, maxQueuedBytes * 4, patienceMs * 4).close, true);
});
