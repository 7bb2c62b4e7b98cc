import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { watchLoopDelay } from './loop-delay.ts';

const hold = (ms: number): void => {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
};

test('a held up event loop is told by the longest time, for a while and not for ever', async () => {
  const clock = fakeClock();
  const loop = watchLoopDelay(clock);
  try {
    await new Promise((next) => setTimeout(next, 50)); // its first look is behind it
    hold(150);
    await eventually(() => assert.ok(loop.values().loopDelayMaxSeconds > 0.1));
    clock.advance(30_000);
    assert.ok(loop.values().loopDelayMaxSeconds > 0.1);
    clock.advance(30_000);
    assert.ok(loop.values().loopDelayMaxSeconds < 0.1);
  } finally {
    loop.close();
  }
  assert.equal(clock.pending(), 0);
});
