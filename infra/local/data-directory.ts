/**
 * The directory in which an installation on one machine keeps everything: secrets, the embedded store, the agent's queue.
 * One launcher at a time: two of them would write the same files. If a launcher was killed, its programs may still run; the next one
 * knows them from `running.json` and ends them first.
 */
import { accessSync, chmodSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTimes, stillRuns, takeLock, type Holder } from './file-lock.ts';

export type DataDirectory = {
  readonly path: string;
  readonly file: (...names: string[]) => string;
  /** Records the programs that run now, so that they can be found if this launcher is killed. */
  readonly recordRunning: (pids: readonly number[]) => void;
  /** Programs of a launcher that was killed, and that still run. */
  readonly leftOver: readonly Holder[];
  readonly release: () => void;
};
export type OpenOutcome =
  { readonly ok: true; readonly directory: DataDirectory } | { readonly ok: false; readonly message: string };

export const openDataDirectory = (path: string): OpenOutcome => {
  const runningFile = join(path, 'running.json');
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    accessSync(path, constants.W_OK | constants.X_OK);
    const lock = takeLock(join(path, 'launcher.lock'));
    if (!lock.ok)
      return {
        ok: false,
        message: `Thrum already runs on ${path} (process ${lock.holder.pid}). Stop it first, or choose another directory with --data.`,
      };
    return {
      ok: true,
      directory: {
        path,
        file: (...names) => join(path, ...names),
        leftOver: readRunning(runningFile).filter(stillRuns),
        recordRunning: (pids) => {
          const holders = Array.from(startTimes(pids), ([pid, started]): Holder => ({ pid, started }));
          writeFileSync(runningFile, `${JSON.stringify(holders)}\n`, { mode: 0o600 });
        },
        release: () => {
          rmSync(runningFile, { force: true });
          lock.release();
        },
      },
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return {
      ok: false,
      message: `The data directory ${path} cannot be used (${code}): make it writable for you, or choose another with --data.`,
    };
  }
};

const graceMs = 5000;

/** SIGTERM to each program that was left behind, SIGKILL to those that still run after a while. Resolves when none does. */
export const endLeftOver = async (
  { leftOver }: Pick<DataDirectory, 'leftOver'>,
  say: (line: string) => void,
): Promise<void> => {
  const signal = (holder: Holder, name: NodeJS.Signals): void => {
    try {
      process.kill(holder.pid, name);
    } catch {
      // it ended by itself meanwhile
    }
  };
  for (const left of leftOver) {
    say(`Ending process ${left.pid}, which a launcher that was killed left behind.`);
    signal(left, 'SIGTERM');
  }
  let running = leftOver.filter(stillRuns);
  for (const began = performance.now(); running.length > 0; running = running.filter(stillRuns)) {
    if (performance.now() - began > graceMs) for (const left of running) signal(left, 'SIGKILL');
    await new Promise((next) => setTimeout(next, 50));
  }
};

const isHolder = (one: unknown): one is Holder =>
  typeof one === 'object' &&
  one !== null &&
  'pid' in one &&
  typeof one.pid === 'number' &&
  'started' in one &&
  typeof one.started === 'string';

const readRunning = (path: string): Holder[] => {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(parsed) ? parsed.filter(isHolder) : [];
  } catch {
    return [];
  }
};
