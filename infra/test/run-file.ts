/**
 * Runs one test file in a process group of its own and says what came of it. A file that does not end by itself is ended after its
 * limit, and one that leaves processes behind is at fault: both count as failed.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Verdict } from './reporter.ts';
import { endSurvivors, killSurvivors, markName } from './survivors.ts';
import type { FileResult } from './tally.ts';

export type FileRun = {
  readonly file: string;
  readonly cwd: string;
  readonly execArgv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly limitMs: number;
};
export type FileOutcome = FileResult & { readonly output: string; readonly tookMs: number };

const maxOutputChars = 200_000;
const reporter = join(import.meta.dirname, 'reporter.ts');

/** Test files that run now: the pid of their process group and their mark. */
const running = new Map<number, string>();

export const runFile = async ({ file, cwd, execArgv, env, limitMs }: FileRun): Promise<FileOutcome> => {
  const beganMs = performance.now();
  const directory = mkdtempSync(join(tmpdir(), 'thrum-test-'));
  const events = join(directory, 'events');
  const mark = randomUUID();
  const child = spawn(
    process.execPath,
    [
      ...execArgv,
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${events}`],
      file,
    ],
    { cwd, env: { ...env, [markName]: mark }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let output = '';
  const take = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-maxOutputChars);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const pid = child.pid ?? -1;
  running.set(pid, mark);
  const limited = { late: false };
  const limit = setTimeout(() => {
    limited.late = true;
    killGroup(pid);
  }, limitMs);
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  clearTimeout(limit);
  const survivors = await endSurvivors(mark);
  killGroup(pid);
  running.delete(pid);

  const verdicts = readVerdicts(events);
  rmSync(directory, { recursive: true });
  const faults: string[] = [];
  if (limited.late) faults.push(`did not end within ${limitMs / 1000} s`);
  else if (signal !== null) faults.push(`was ended by ${signal}`);
  else if (code !== 0 && !verdicts.some((one) => one.result === 'failed'))
    faults.push(`ended with exit code ${code ?? '?'}`);
  if (survivors.length > 0 && !limited.late)
    faults.push(`left ${survivors.length} running: ${survivors.map((one) => `${one.pid} ${one.command}`).join('; ')}`);
  return { file, verdicts, faults, output, tookMs: performance.now() - beganMs };
};

const killGroup = (pid: number): void => {
  try {
    if (pid > 0) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
};

/** For when the runner itself is being ended: nothing it started stays. */
export const killRunning = (): void => {
  for (const [pid, mark] of running) {
    killGroup(pid);
    killSurvivors(mark);
  }
};

const readVerdicts = (path: string): Verdict[] => {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1); // a torn last line is not a verdict
    return lines.map((line) => JSON.parse(line) as Verdict);
  } catch {
    return [];
  }
};
