import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trail, trailTicks } from './trail.ts';

test('it keeps the last minute, oldest first', () => {
  const trail = new Trail(['cpu']);
  for (let tick = 0; tick < trailTicks + 5; tick += 1) trail.push(tick * 1000, () => tick);
  assert.equal(trail.length, trailTicks);
  assert.equal(trail.timeMs(0), 5000);
  assert.equal(trail.value('cpu', 0), 5);
  assert.equal(trail.value('cpu', trailTicks - 1), trailTicks + 4);
});

test('a tick that is not newer is ignored', () => {
  const trail = new Trail(['cpu']);
  trail.push(1000, () => 1);
  trail.push(1000, () => 2);
  trail.push(500, () => 3);
  assert.equal(trail.length, 1);
  assert.equal(trail.value('cpu', 0), 1);
});
