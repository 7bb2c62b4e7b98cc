import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.ts';
import { fakeClock } from './fake-clock.ts';

test('timers fire in order of their time, each at its own time, also those set by others on the way', () => {
  const clock = fakeClock();
  const fired: string[] = [];
  const note = (name: string): void => void fired.push(`${name} ${clock.monotonicMs()}`);
  clock.after(30, () => note('late'));
  clock.after(10, () => {
    note('early');
    clock.after(5, () => note('chained'));
  });
  const every = clock.every(20, () => note('every'));
  clock.advance(45);
  assert.deepEqual(fired, ['early 10', 'chained 15', 'every 20', 'late 30', 'every 40']);
  every.cancel();
  clock.advance(100);
  assert.equal(fired.length, 5);
  assert.equal(clock.pending(), 0);
});

test('the wall clock may step, the monotonic one only goes on', () => {
  const clock = fakeClock(1000);
  clock.advance(5);
  clock.stepWall(-500);
  assert.deepEqual([clock.wallMs(), clock.monotonicMs()], [505, 5]);
});

test('eventually waits for a state, and says the last reason when it never comes', async () => {
  let tries = 0;
  await eventually(() => (tries += 1) >= 3);
  assert.equal(tries, 3);
  await assert.rejects(
    eventually(() => assert.equal(1, 2, 'one is not two'), { withinMs: 20 }),
    /not so within 20 ms: one is not two/,
  );
  await assert.rejects(
    eventually(() => false, { withinMs: 20 }),
    /the check gave false/,
  );
});
