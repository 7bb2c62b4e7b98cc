/**
 * A program that is meant to run until it is told to stop: runs follow one another under one name.
 * With `restart: 'always'` a run that ends by itself is followed by another after a wait (`restart-policy.ts`); with `'never'` only
 * `restart()` starts one (tests that break things want to see them broken). `kill` and `stop` are never followed by a restart.
 */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import { startProcess, type Output, type Program, type Run } from './process.ts';
import type { ReadyLine } from './ready-line.ts';
import { afterEnding, type Ending } from './restart-policy.ts';

export type RoleEvent =
  | { readonly kind: 'output'; readonly output: Output }
  | { readonly kind: 'ready'; readonly line: ReadyLine }
  | {
      readonly kind: 'ended';
      readonly ending: Ending;
      readonly ranMs: number;
      readonly restartAfterMs: number | undefined;
    };

export type Role = {
  readonly name: string;
  /** Process id of the current run, of the last one when none runs. */
  readonly pid: number;
  /** Settles with the current run: its ready line, or why there will be none. */
  ready(): Promise<ReadyLine>;
  running(): boolean;
  /** Ends the program and what it started at once. Resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<Ending>;
  pause(): void;
  resume(): void;
  /** Orderly stop if it runs, then a new run; resolves when that is ready. */
  restart(): Promise<ReadyLine>;
  stop(): Promise<Ending>;
};

export type RoleOptions = {
  readonly program: Program;
  readonly restart: 'always' | 'never';
  readonly clock: Clock;
  /** How long an orderly stop may take before it is made to. */
  readonly graceMs?: number;
  readonly onEvent?: (event: RoleEvent) => void;
};

export const startRole = ({
  program,
  restart,
  clock,
  graceMs = 5000,
  onEvent = () => undefined,
}: RoleOptions): Role => {
  let wanted = true;
  let failures = 0;
  let waiting: Timer | undefined;

  const isWanted = (): boolean => wanted;
  const begin = (): Run => {
    const startedMs = clock.monotonicMs();
    const run = startProcess(program, (output) => onEvent({ kind: 'output', output }));
    run.ready.then(
      (line) => onEvent({ kind: 'ready', line }),
      () => undefined,
    );
    void run.ended.then((ending) => {
      if (run !== current || !wanted) return;
      const ranMs = clock.monotonicMs() - startedMs;
      const verdict = restart === 'always' ? afterEnding(ending, ranMs, failures) : ({ restart: false } as const);
      onEvent({ kind: 'ended', ending, ranMs, restartAfterMs: verdict.restart ? verdict.afterMs : undefined });
      if (!verdict.restart || !isWanted()) return; // whoever was told may have decided otherwise
      failures = verdict.failures;
      waiting = clock.after(verdict.afterMs, () => {
        current = begin();
      });
    });
    return run;
  };
  let current = begin();

  const rest = (): void => {
    wanted = false;
    waiting?.cancel();
  };
  return {
    name: program.name,
    get pid() {
      return current.pid;
    },
    ready: () => current.ready,
    running: () => !current.hasEnded(),
    kill: (signal = 'SIGKILL') => {
      rest();
      current.signalGroup(signal);
      return current.ended;
    },
    pause: () => current.signalGroup('SIGSTOP'),
    resume: () => current.signalGroup('SIGCONT'),
    restart: async () => {
      rest();
      await current.stop(graceMs);
      wanted = true;
      failures = 0;
      current = begin();
      return current.ready;
    },
    stop: () => {
      rest();
      return current.stop(graceMs);
    },
  };
};
