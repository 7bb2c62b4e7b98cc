import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longRun } from './long-run.ts';

const lossy = { seed: 1, nodes: 5, lossRate: 0.2 };

test('in twenty hours with 20 % of all packets lost nobody is taken for dead, though links are', () => {
  const run = longRun({ ...lossy, hours: 20 });
  assert.equal(run.falseDeaths, 0);
  assert.ok(run.linksLost > 100, `${run.linksLost}`);
});

test('a seed repeats a run exactly', () => {
  assert.deepEqual(longRun({ ...lossy, hours: 1 }), longRun({ ...lossy, hours: 1 }));
});

test('without witnesses, or with a shorter patience, it would find false deaths: so it can tell', () => {
  const alone = { hasWitnesses: () => true, vouches: () => false };
  const hasty = { ...alone, silentDeath: (silentForMs: number) => silentForMs >= 2500 };
  const harsh = { ...lossy, nodes: 2, lossRate: 0.4, hours: 5 };
  assert.ok(longRun({ ...harsh, rules: alone }).falseDeaths > 0);
  assert.ok(longRun({ ...lossy, nodes: 2, hours: 10, rules: hasty }).falseDeaths > 0);
});
