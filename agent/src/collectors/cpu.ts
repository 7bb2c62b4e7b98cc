/**
 * Processor time between two ticks, in percent, over all cores together and per core. The first tick has none, nor has a core that
 * just came up. A kernel counter that went backwards (iowait does, and a core that was taken away and given back) counts as no time.
 */
import { cpu } from '@thrum/actors/wire/catalogue/cpu';
import type { Add, Collector, CollectorKind, Values } from './collector.ts';
import type { LinuxSources } from './linux-sources.ts';
import { cpuColumns, type Stat } from './stat.ts';
import type { SystemInformation } from './system-information.ts';

const user = 0;
const nice = 1;
const system = 2;
const idle = 3;
const iowait = 4;
const irq = 5;
const softirq = 6;
const steal = 7;

export type CpuPercents = { next(stat: Stat, add: Add): void };

/** Turns one reading of /proc/stat after the other into percentages. */
export const cpuPercents = (): CpuPercents => {
  let before = new Float64Array(0);
  let columnsBefore = new Uint8Array(0);
  const names: (readonly string[])[] = [['total']];
  const delta = new Float64Array(cpuColumns);
  const values: Values = new Array<number | undefined>(cpu.metrics.length).fill(undefined);
  return {
    next: (stat, add) => {
      for (let row = 0; row < stat.rows; row += 1) {
        const columns = stat.columns[row] ?? 0;
        if (columns === 0 || columnsBefore[row] !== columns) continue;
        let sum = 0;
        for (let i = 0; i < columns; i += 1) {
          const at = row * cpuColumns + i;
          const passed = Math.max(0, (stat.times[at] ?? 0) - (before[at] ?? 0));
          delta[i] = passed;
          sum += passed;
        }
        if (sum === 0) continue;
        const percent = (column: number): number | undefined =>
          column < columns ? ((delta[column] ?? 0) * 100) / sum : undefined;
        values[0] = 100 - (percent(idle) ?? 0) - (percent(iowait) ?? 0);
        values[1] = percent(user);
        values[2] = percent(nice);
        values[3] = percent(system);
        values[4] = percent(iowait);
        values[5] = percent(irq);
        values[6] = percent(softirq);
        values[7] = percent(steal);
        values[8] = percent(idle);
        add((names[row] ??= [String(row - 1)]), values);
      }
      if (before.length < stat.times.length) before = new Float64Array(stat.times.length);
      if (columnsBefore.length < stat.columns.length) columnsBefore = new Uint8Array(stat.columns.length);
      before.set(stat.times);
      columnsBefore.set(stat.columns);
    },
  };
};

const onLinux = (sources: LinuxSources): Collector => {
  const percents = cpuPercents();
  return { collect: ({ monotonicMs }, add) => percents.next(sources.stat(monotonicMs), add) };
};

const elsewhere = (load: () => Promise<SystemInformation>): Collector => ({
  collect: async (_tick, add) => {
    for (const core of await (await load()).cpuLoad())
      add(
        [core.cpu],
        [core.usage, core.user, core.nice, core.system, undefined, core.irq, undefined, core.steal, core.idle],
      );
  },
});

export const cpuCollector: CollectorKind = {
  target: cpu,
  start: (sources) => (sources.linux ? onLinux(sources.linux) : elsewhere(sources.elsewhere)),
};
