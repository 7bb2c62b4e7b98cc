/**
 * A lock that is a file: made by exactly one process at a time, naming it, and void once that process is gone. A process is known by
 * its id and the time it started, because ids are used again.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

export type Holder = { readonly pid: number; readonly started: string };
export type LockOutcome = { readonly ok: true; release(): void } | { readonly ok: false; readonly holder: Holder };

/** When each of the processes started, as `ps` says it (any system); those that do not exist are not in the answer. */
export const startTimes = (pids: readonly number[]): ReadonlyMap<number, string> => {
  const times = new Map<number, string>();
  try {
    const text = execFileSync('ps', ['-o', 'pid=,lstart=', '-p', pids.join(',')], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, LC_ALL: 'C' },
    });
    for (const line of text.split('\n')) {
      const [, pid, started] = /^\s*(\d+)\s+(.+?)\s*$/.exec(line) ?? [];
      if (pid !== undefined && started !== undefined) times.set(Number(pid), started);
    }
  } catch {
    // ps ends with 1 when it found none.
  }
  return times;
};

/** True while the very process that was recorded still runs. */
export const stillRuns = (holder: Holder): boolean => startTimes([holder.pid]).get(holder.pid) === holder.started;

const readHolder = (path: string): Holder | undefined => {
  try {
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    return typeof parsed.pid === 'number' && typeof parsed.started === 'string'
      ? { pid: parsed.pid, started: parsed.started }
      : undefined;
  } catch {
    return undefined;
  }
};

/** Takes the lock, also from a holder that is gone; otherwise says who holds it. Throws when the file cannot be written. */
export const takeLock = (path: string): LockOutcome => {
  const self: Holder = { pid: process.pid, started: startTimes([process.pid]).get(process.pid) ?? 'unknown' };
  for (let tries = 0; ; tries += 1) {
    try {
      writeFileSync(path, `${JSON.stringify(self)}\n`, { mode: 0o600, flag: 'wx' });
      return { ok: true, release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = readHolder(path);
    if ((holder && stillRuns(holder)) || tries >= 5) return { ok: false, holder: holder ?? { pid: -1, started: '' } };
    rmSync(path, { force: true });
  }
};
