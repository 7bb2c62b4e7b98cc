/**
 * What a process and everything below it costs, read from /proc: CPU time by the scheduler's own clock (nanoseconds, finer than the 10 ms
 * ticks of /proc/PID/stat) over all living threads, and resident memory.
 */
import { readdirSync, readFileSync } from 'node:fs';

export type Cost = { readonly cpuMs: number; readonly residentBytes: number; readonly anonymousBytes: number };

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
};

const processTree = (root: number): number[] => {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [, parent] = /\) \S (\d+)/.exec(read(`/proc/${entry}/stat`)) ?? [];
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const below = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(below);
};

const threadsCpuMs = (pid: number): number => {
  let nanoseconds = 0;
  let tasks: string[] = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return 0;
  }
  for (const task of tasks) nanoseconds += Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0] ?? 0);
  return nanoseconds / 1e6;
};

const kibibytes = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;

export const costOf = (pid: number): Cost => {
  const cost = { cpuMs: 0, residentBytes: 0, anonymousBytes: 0 };
  for (const one of processTree(pid)) {
    const status = read(`/proc/${one}/status`);
    cost.cpuMs += threadsCpuMs(one);
    cost.residentBytes += kibibytes(status, 'VmRSS');
    cost.anonymousBytes += kibibytes(status, 'RssAnon');
  }
  return cost;
};
