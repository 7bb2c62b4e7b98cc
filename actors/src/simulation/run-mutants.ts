/** Every mutant until a seed notices it: those that are known to first, then the first ones there are. */
import type { Mutant } from './mutant.ts';
import type { Outcome } from './run-plan.ts';
import { runParts } from './run-parts.ts';
import type { Part } from './run-parts.ts';
import { program, seedsFrom } from './run-seeds.ts';

/** By name of the mutant; nothing of one that survived. */
export const runMutants = async (
  mutants: readonly Mutant[],
  options: { seeds: number; workers: number },
): Promise<ReadonlyMap<string, Outcome>> => {
  const noticed = new Map<string, Outcome>();
  const deal = function* (): Generator<Part, undefined> {
    for (const { name, noticedBy } of mutants)
      yield { seeds: [...new Set([...noticedBy, ...seedsFrom(1, options.seeds)])], mutant: name, all: false };
  };
  await runParts<Outcome>(deal(), {
    program,
    workers: options.workers,
    done: ({ mutant = '' }, { broken: [first] }) => {
      if (first) noticed.set(mutant, first);
    },
  });
  return noticed;
};
