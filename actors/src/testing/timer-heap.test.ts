import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from './random.ts';
import { TimerHeap } from './timer-heap.ts';

test('whatever is added and canceled, they come in order of their time, then of their making', () => {
  const random = seededRandom(5);
  const heap = new TimerHeap<{ dueMs: number; order: number; canceled: boolean }>();
  const model: { dueMs: number; order: number; canceled: boolean }[] = [];
  for (let order = 0; order < 5000; order += 1) {
    const what = random();
    if (what < 0.6) {
      const entry = { dueMs: Math.floor(random() * 100), order, canceled: false };
      heap.add(entry);
      model.push(entry);
    } else if (what < 0.8) {
      const [entry] = model.splice(Math.floor(random() * model.length), 1);
      if (entry) heap.cancel(entry);
    } else {
      model.sort((one, other) => one.dueMs - other.dueMs || one.order - other.order);
      assert.equal(heap.take(), model.shift());
    }
    assert.equal(heap.size, model.length);
  }
});
