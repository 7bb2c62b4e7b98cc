/** Thousands of runs of delivery under faults. When one fails: npm run model -- --seed N tells all that happened in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';

test('three thousand seeds lose nothing, store nothing twice, and end', async () => {
  const { runs, broken } = await runSeeds({ from: 1, seeds: 3000, workers: 2 });
  assert.deepEqual(
    broken.map(({ seed, broken: what }) => `seed ${seed}: ${what?.guarantee ?? ''}: ${what?.detail ?? ''}`),
    [],
  );
  assert.equal(runs, 3000);
});
