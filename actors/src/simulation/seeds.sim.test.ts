/** A thousand meshes under faults. When one fails: npm run simulate -- --seed N tells all that happened in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';

test('a thousand seeds break no guarantee', async () => {
  const { runs, broken } = await runSeeds({ from: 1, seeds: 1000, workers: 2 });
  assert.deepEqual(
    broken.map(({ seed, broken: what }) => `seed ${seed}: ${what?.guarantee ?? ''}: ${what?.detail ?? ''}`),
    [],
  );
  assert.equal(runs, 1000);
});
