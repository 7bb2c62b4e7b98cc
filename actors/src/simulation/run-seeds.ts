/** Many seeds in a few processes of their own, dealt in small parts. Ends at the first that is broken, unless all are wanted. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './run-plan.ts';

export type Part = {
  readonly from: number;
  readonly seeds: number;
  readonly mutant: string | undefined;
  readonly all: boolean;
};
export type PartResult = { readonly runs: number; readonly events: number; readonly broken: readonly Outcome[] };

const program = fileURLToPath(new URL('./seed-worker.ts', import.meta.url));
/** So many seeds are dealt at a time. */
const partSeeds = 10;

export const runSeeds = async (options: {
  from: number;
  seeds: number;
  workers: number;
  mutant?: string | undefined;
  /** Goes on after the first that is broken. */
  all?: boolean;
}): Promise<PartResult> => {
  const endSeed = options.from + options.seeds;
  let next = options.from;
  let runs = 0;
  let events = 0;
  const broken: Outcome[] = [];

  const deal = (worker: ChildProcess): void => {
    const seeds = Math.min(partSeeds, endSeed - next);
    if (seeds <= 0 || (broken.length > 0 && options.all !== true)) {
      worker.disconnect();
      return;
    }
    worker.send({ from: next, seeds, mutant: options.mutant, all: options.all === true } satisfies Part);
    next += seeds;
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork(program);
      worker.on('message', (result: PartResult) => {
        runs += result.runs;
        events += result.events;
        broken.push(...result.broken);
        deal(worker);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (code === 0) resolve();
        else
          reject(
            new Error(`a process of the simulator ended with code ${String(code)}, at the latest in seed ${next - 1}`),
          );
      });
      deal(worker);
    });
  await Promise.all(Array.from({ length: Math.min(options.workers, Math.ceil(options.seeds / partSeeds)) }, work));
  return { runs, events, broken: broken.sort((one, other) => one.seed - other.seed) };
};
