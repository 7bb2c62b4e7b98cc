/**
 * Finds processes that a test left behind. Every test file runs with a mark of its own in its environment, which whatever it starts
 * inherits, also what went into another process group. Linux only: elsewhere nothing is found.
 */
import { readdirSync, readFileSync } from 'node:fs';

export const markName = 'THRUM_TEST_MARK';

export type Survivor = { readonly pid: number; readonly command: string };

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile, or it is not ours
  }
};

const processIds = (): number[] => {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
};

export const survivorsOf = (mark: string): Survivor[] =>
  processIds()
    .filter((pid) => pid !== process.pid && read(`/proc/${pid}/environ`).split('\0').includes(`${markName}=${mark}`))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim().slice(0, 200) }));

const graceMs = 2000;

/** Waits a moment for those that are just ending, ends the others, and returns these. */
export const endSurvivors = async (mark: string): Promise<Survivor[]> => {
  const began = performance.now();
  let left = survivorsOf(mark);
  while (left.length > 0 && performance.now() - began < graceMs) {
    await new Promise((next) => setTimeout(next, 50));
    left = survivorsOf(mark);
  }
  for (const { pid } of left) kill(pid);
  return left;
};

/** At once, for when the runner itself is being ended. */
export const killSurvivors = (mark: string): void => {
  for (const { pid } of survivorsOf(mark)) kill(pid);
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
};
