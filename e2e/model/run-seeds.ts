/** Many seeds in a few processes of their own, dealt in small parts. Ends at the first parts that are broken, unless all are wanted. */
import { fileURLToPath } from 'node:url';
import { runParts, type Part, type PartResult } from '@thrum/actors/simulation/run-parts';
import type { Outcome } from './run-plan.ts';

/** So many seeds are dealt at a time. */
const partSeeds = 50;
export const program = fileURLToPath(new URL('./seed-worker.ts', import.meta.url));

export const seedsFrom = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);

export const runSeeds = async (options: {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  readonly mutant?: string | undefined;
  /** Goes on after the first that is broken. */
  readonly all?: boolean;
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
