/** What the model would not notice, it does not prove: every wrong variant of a rule must break a promise. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { mutants } from './mutants.ts';
import { runMutants } from './run-mutants.ts';
import type { Outcome } from './run-plan.ts';

/** When none of those that are known to notice it does any more. */
const enoughSeeds = 500;

let noticed: ReadonlyMap<string, Outcome> = new Map();
before(async () => {
  noticed = await runMutants(mutants, { seeds: enoughSeeds, workers: 2 });
});

test('each mutant has a name of its own', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
});

for (const { name, breaks } of mutants)
  test(`${name} is noticed: ${breaks}`, (t) => {
    const outcome = noticed.get(name);
    assert.ok(outcome, `${name} survived ${enoughSeeds} seeds`);
    t.diagnostic(`seed ${outcome.seed}: ${outcome.broken?.guarantee ?? ''}`);
  });
