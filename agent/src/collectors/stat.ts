/**
 * /proc/stat: processor time by core and what the scheduler counts. Kernels differ in the number of columns (4 in 2.4, 7 in 2.6.0, 10
 * since 2.6.33), in whether offline cores have a line, and in what stands below; lines that are not known are passed over.
 */
import type { ProcText } from './proc-text.ts';

/** user nice system idle iowait irq softirq steal; what comes after is part of user and nice already. */
export const cpuColumns = 8;
/** Cores above this number are not read. */
const maxCores = 4096;

export type Stat = {
  /** Row 0 is all cores together, row n + 1 is core n; `cpuColumns` columns each, in ticks of the kernel. */
  times: Float64Array;
  /** Rows that the last reading had a line for, and how many columns it had. */
  columns: Uint8Array;
  rows: number;
  contextSwitches: number | undefined;
  forks: number | undefined;
  interrupts: number | undefined;
  running: number | undefined;
  blocked: number | undefined;
};

export const emptyStat = (): Stat => ({
  times: new Float64Array(0),
  columns: new Uint8Array(0),
  rows: 0,
  contextSwitches: undefined,
  forks: undefined,
  interrupts: undefined,
  running: undefined,
  blocked: undefined,
});

const present = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);

/** Fills `into`. Throws when there is not even a line for all cores together. */
export const parseStat = (text: ProcText, into: Stat): void => {
  into.columns.fill(0);
  into.rows = 0;
  into.contextSwitches = into.forks = into.interrupts = into.running = into.blocked = undefined;
  for (; !text.done; text.nextLine()) {
    if (text.take('cpu')) readCores(text, into);
    else if (text.take('ctxt ')) into.contextSwitches = present(text.number());
    else if (text.take('intr ')) into.interrupts = present(text.number());
    else if (text.take('processes ')) into.forks = present(text.number());
    else if (text.take('procs_running ')) into.running = present(text.number());
    else if (text.take('procs_blocked ')) into.blocked = present(text.number());
  }
  if ((into.columns[0] ?? 0) < 4) throw new Error('/proc/stat has no line "cpu" with four numbers or more.');
};

const readCores = (text: ProcText, into: Stat): void => {
  const isTotal = text.bytes[text.at] === 32;
  const core = isTotal ? -1 : text.number();
  if (Number.isNaN(core) || core >= maxCores) return;
  const row = core + 1;
  if (row >= into.columns.length) grow(into, row + 1);
  let count = 0;
  for (; count < cpuColumns; count += 1) {
    const value = text.number();
    if (Number.isNaN(value)) break;
    into.times[row * cpuColumns + count] = value;
  }
  if (count < 4) return;
  into.columns[row] = count;
  into.rows = Math.max(into.rows, row + 1);
};

const grow = (into: Stat, rows: number): void => {
  const times = new Float64Array(rows * cpuColumns);
  times.set(into.times);
  const columns = new Uint8Array(rows);
  columns.set(into.columns);
  into.times = times;
  into.columns = columns;
};
