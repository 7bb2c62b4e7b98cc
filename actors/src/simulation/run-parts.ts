/** Parts of the work of many seeds, dealt to a few processes of their own, the next one to whoever is done. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './run-plan.ts';

export type Part = {
  /** In this order. */
  readonly seeds: readonly number[];
  readonly mutant: string | undefined;
  /** Goes on after the first that is broken. */
  readonly all: boolean;
};
export type PartResult = { readonly runs: number; readonly events: number; readonly broken: readonly Outcome[] };

const program = fileURLToPath(new URL('./seed-worker.ts', import.meta.url));

/** `parts` is asked for the next one when a process has nothing to do; `done` comes before that. */
export const runParts = async (
  parts: Iterator<Part>,
  options: { workers: number; done: (part: Part, result: PartResult) => void },
): Promise<void> => {
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker: ChildProcess = fork(program);
      let part: Part | undefined;
      const deal = (): void => {
        const next = parts.next();
        part = next.done === true ? undefined : next.value;
        if (part) worker.send(part);
        else worker.disconnect();
      };
      worker.on('message', (result: PartResult) => {
        if (part) options.done(part, result);
        deal();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (code === 0 && !part) resolve();
        else
          reject(
            new Error(
              `a process of the simulator ended with code ${String(code)} in one of the seeds ${part?.seeds.slice(0, 10).join(', ') ?? ''} ...`,
            ),
          );
      });
      deal();
    });
  await Promise.all(Array.from({ length: options.workers }, work));
};
