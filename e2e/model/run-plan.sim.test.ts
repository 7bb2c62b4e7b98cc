import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawPlan } from './plan.ts';
import { runPlan } from './run-plan.ts';

test('a seed repeats a run exactly, event for event', async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const first = await runPlan(drawPlan(seed));
    assert.deepEqual(await runPlan(drawPlan(seed)), first);
    hashes.add(first.hash);
  }
  assert.equal(hashes.size, 20);
});

test('what a run tells does not change it', async () => {
  const lines: string[] = [];
  const told = await runPlan(drawPlan(3), { tell: (line) => void lines.push(line) });
  assert.deepEqual(await runPlan(drawPlan(3)), told);
  assert.ok(lines.length > 2);
});
