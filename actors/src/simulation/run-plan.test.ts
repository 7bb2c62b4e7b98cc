import assert from 'node:assert/strict';
import { test } from 'node:test';
import { works } from './guarantees.ts';
import { drawPlan } from './plan.ts';
import { runPlan } from './run-plan.ts';

test('a seed repeats a run exactly, event for event', async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 8; seed += 1) {
    const first = await runPlan(drawPlan(seed, works));
    assert.deepEqual(await runPlan(drawPlan(seed, works)), first);
    hashes.add(first.hash);
  }
  assert.equal(hashes.size, 8);
});

test('what a run tells does not change it', async () => {
  const lines: string[] = [];
  const told = await runPlan(drawPlan(3, works), { tell: (line) => void lines.push(line) });
  assert.deepEqual(await runPlan(drawPlan(3, works)), told);
  assert.ok(lines.length > 50);
});

test('a broken guarantee ends the run and says what, where and when; the same again on the next run', async () => {
  const rules = { sessions: { mergeRevoked: (one: boolean, other: boolean) => one && other } };
  const seeds = Array.from({ length: 30 }, (_, index) => index + 1);
  for (const seed of seeds) {
    const outcome = await runPlan(drawPlan(seed, works), { rules });
    if (!outcome.broken) continue;
    assert.equal(outcome.broken.guarantee, 'session-ends');
    assert.deepEqual(await runPlan(drawPlan(seed, works), { rules }), outcome);
    return;
  }
  assert.fail('a sign-out that is forgotten was not noticed');
});
