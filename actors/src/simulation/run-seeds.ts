/** Many seeds in a few processes of their own, dealt in small parts. Ends at the first that is broken, unless all are wanted. */
import { fileURLToPath } from 'node:url';
import type { Outcome } from './run-plan.ts';
import { runParts } from './run-parts.ts';
import type { Part, PartResult } from './run-parts.ts';

/** So many seeds are dealt at a time. */
const partSeeds = 10;

export const seedsFrom = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);

export const program = fileURLToPath(new URL('./seed-worker.ts', import.meta.url));

export const runSeeds = async (options: {
  from: number;
  seeds: number;
  workers: number;
  mutant?: string | undefined;
  /** Goes on after the first that is broken. */
  all?: boolean;
}): Promise<PartResult<Outcome>> => {
  const { mutant, all = false } = options;
  const endSeed = options.from + options.seeds;
  let runs = 0;
  let events = 0;
  const broken: Outcome[] = [];
  const deal = function* (): Generator<Part, undefined> {
    for (let from = options.from; from < endSeed && (all || broken.length === 0); from += partSeeds)
      yield { seeds: seedsFrom(from, Math.min(partSeeds, endSeed - from)), mutant, all };
  };
  await runParts<Outcome>(deal(), {
    program,
    workers: Math.min(options.workers, Math.ceil(options.seeds / partSeeds)),
    done: (_, result) => {
      runs += result.runs;
      events += result.events;
      broken.push(...result.broken);
    },
  });
  return { runs, events, broken: broken.sort((one, other) => one.seed - other.seed) };
};
