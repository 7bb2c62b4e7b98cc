/**
 * One run of a program: started by command in a process group of its own, its output read line by line, its end awaited.
 *
 * - An own group: a Ctrl-C in the terminal reaches the launcher alone, which then stops the programs in order, and whatever a program
 *   started itself ends with it (the group is swept after its leader ended).
 * - The last lines are kept (bounded), because they are what explains an end before the program was ready.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseReadyLine, type ReadyLine } from './ready-line.ts';
import { describeEnding, type Ending } from './restart-policy.ts';

export type Program = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** For programs that do not print a ready line: resolves when the program can be used, rejects never; asked until it is true. */
  readonly isReady?: () => Promise<boolean>;
  readonly readyWithinMs?: number;
};

export type Output = { readonly from: 'stdout' | 'stderr'; readonly line: string };

export type Run = {
  readonly name: string;
  readonly pid: number;
  /** Rejects with a NotReadyError when the program ends before or takes too long; it is then ended. */
  readonly ready: Promise<ReadyLine>;
  readonly ended: Promise<Ending>;
  hasEnded(): boolean;
  lastLines(): readonly string[];
  /** To the program alone, for an orderly stop. */
  signal(signal: NodeJS.Signals): void;
  /** To the program and everything it started. */
  signalGroup(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<Ending>;
};

export class NotReadyError extends Error {
  readonly program: string;
  readonly ending: Ending | undefined;
  readonly lines: readonly string[];
  constructor(program: string, ending: Ending | undefined, lines: readonly string[], withinMs: number) {
    const what = ending
      ? `ended with ${describeEnding(ending)} before it was ready`
      : `was not ready within ${withinMs} ms`;
    super([`${program} ${what}.`, ...lines.map((line) => `  ${line}`)].join('\n'));
    this.name = 'NotReadyError';
    this.program = program;
    this.ending = ending;
    this.lines = lines;
  }
}

const keptLines = 30;
const maxLineChars = 4000;
const defaultReadyWithinMs = 30_000;
const askEveryMs = 25;

export const startProcess = (program: Program, onOutput: (output: Output) => void = () => undefined): Run => {
  const child = spawn(program.command, program.args, {
    cwd: program.cwd,
    env: program.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kept: string[] = [];
  let finished: Ending | undefined;
  const said = Promise.withResolvers<ReadyLine>();
  const take = (stream: Readable, from: Output['from']): void => {
    createInterface({ input: stream }).on('line', (whole) => {
      const line = whole.length > maxLineChars ? `${whole.slice(0, maxLineChars)}…` : whole;
      const ready = from === 'stdout' ? parseReadyLine(line) : undefined;
      if (ready) said.resolve(ready);
      else {
        kept.push(line);
        if (kept.length > keptLines) kept.shift();
      }
      onOutput({ from, line });
    });
  };
  take(child.stdout, 'stdout');
  take(child.stderr, 'stderr');

  const ended = new Promise<Ending>((resolve) => {
    const finish = (ending: Ending): void => {
      finished ??= ending;
      signalGroup('SIGKILL');
      resolve(finished);
    };
    child.once('error', (error) => {
      kept.push(`${program.command}: ${error.message}`);
      finish({ code: 127, signal: null });
    });
    child.once('exit', (code, signal) => {
      finished = { code, signal };
      // The last lines are still on their way; a grandchild that keeps the pipes open must not delay the news for long.
      const close = setTimeout(() => finish({ code, signal }), 500);
      child.once('close', () => {
        clearTimeout(close);
        finish({ code, signal });
      });
    });
  });

  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  };

  const { isReady } = program;
  if (isReady)
    void (async () => {
      while (finished === undefined && !(await isReady())) await new Promise((next) => setTimeout(next, askEveryMs));
      said.resolve({ ready: program.name });
    })();
  const withinMs = program.readyWithinMs ?? defaultReadyWithinMs;
  const ready = new Promise<ReadyLine>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new NotReadyError(program.name, undefined, kept, withinMs));
      signalGroup('SIGKILL');
    }, withinMs);
    void ended.then((ending) => {
      clearTimeout(late);
      reject(new NotReadyError(program.name, ending, kept, withinMs));
    });
    void said.promise.then((line) => {
      clearTimeout(late);
      if (finished === undefined) resolve(line);
    });
  });
  ready.catch(() => undefined); // whoever wants to know awaits it; others must not be ended by it

  const signal = (name: NodeJS.Signals): void => {
    if (finished === undefined) child.kill(name);
  };
  return {
    name: program.name,
    pid: child.pid ?? -1,
    ready,
    ended,
    hasEnded: () => finished !== undefined,
    lastLines: () => kept,
    signal,
    signalGroup,
    stop: async (graceMs) => {
      signalGroup('SIGCONT'); // a stopped program cannot obey
      signal('SIGTERM');
      const hard = setTimeout(() => signalGroup('SIGKILL'), graceMs);
      const ending = await ended;
      clearTimeout(hard);
      return ending;
    },
  };
};
