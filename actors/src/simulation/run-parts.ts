/** Parts of the work of many seeds, dealt to a few processes of their own, the next one to whoever is done. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

export type Part = {
  /** In this order. */
  readonly seeds: readonly number[];
  readonly mutant: string | undefined;
  /** Goes on after the first that is broken. */
  readonly all: boolean;
};
export type PartResult<Outcome> = {
  readonly runs: number;
  readonly events: number;
  readonly broken: readonly Outcome[];
};

export type PartsOptions<Outcome> = {
  /** The file that a process runs: it is sent parts, and sends a result for each. */
  readonly program: string;
  readonly workers: number;
  readonly done: (part: Part, result: PartResult<Outcome>) => void;
};

/** `parts` is asked for the next one when a process has nothing to do; `done` comes before that. */
export const runParts = async <Outcome>(parts: Iterator<Part>, options: PartsOptions<Outcome>): Promise<void> => {
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker: ChildProcess = fork(options.program);
      let part: Part | undefined;
      const deal = (): void => {
        const next = parts.next();
        part = next.done === true ? undefined : next.value;
        if (part) worker.send(part);
        else worker.disconnect();
      };
      worker.on('message', (result: PartResult<Outcome>) => {
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
