/** What the simulator would not notice, it does not prove: every wrong variant of a rule must break a guarantee. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutants } from './mutants.ts';
import { runSeeds } from './run-seeds.ts';

/** Each is found within 40 or so. */
const enoughSeeds = 200;

test('there are at least 15 mutants, each with a name of its own', () => {
  assert.ok(mutants.length >= 15);
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
});

for (const { name, breaks } of mutants)
  test(`${name} is noticed: ${breaks}`, async () => {
    const { broken } = await runSeeds({ from: 1, seeds: enoughSeeds, workers: 2, mutant: name });
    assert.ok(broken.length > 0, `${name} survived ${enoughSeeds} seeds`);
  });
