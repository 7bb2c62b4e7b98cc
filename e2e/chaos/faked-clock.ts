/**
 * A clock of its own for one program, by libfaketime: the file says by how many seconds it is off, and the program looks at it once a
 * second. The monotonic clock is left alone, as setting a real clock leaves it.
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fakeClockLibrary } from '../../infra/local/fake-clock-library.ts';
import type { Settings } from '../../infra/local/programs.ts';

export type FakedClock = {
  /** For the environment of the program. */
  readonly settings: Settings;
  set(offMs: number): void;
  offMs(): number;
};

/** `undefined` when the library is not installed. */
export const makeFakedClock = (file: string): FakedClock | undefined => {
  const library = fakeClockLibrary();
  if (library === undefined) return undefined;
  let offMs = 0;
  const set = (wantedMs: number): void => {
    offMs = wantedMs;
    const seconds = wantedMs / 1000;
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds.toFixed(3)}\n`);
    renameSync(`${file}.new`, file); // never half a line
  };
  set(0);
  return {
    settings: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
      NO_FAKE_STAT: '1',
    },
    set,
    offMs: () => offMs,
  };
};

/** What the library leaves behind of programs that were killed; a later one with the same process id would stumble over it. */
export const sweepFakedClocks = (): void => {
  let names: string[] = [];
  try {
    names = readdirSync('/dev/shm');
  } catch {
    return; // only where there is one
  }
  for (const name of names) {
    const pid = /^(?:sem\.faketime_sem|faketime_shm)_(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(`/dev/shm/${name}`, { force: true });
  }
};
