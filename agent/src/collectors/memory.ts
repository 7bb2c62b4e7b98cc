/**
 * Main memory and swap from /proc/meminfo. Kernels before 3.14 do not say what is available; it is put together from the parts then.
 * "cached" counts the reclaimable slab, as `free` does.
 */
import { memory } from '@thrum/actors/wire/catalogue/memory';
import type { Collector, CollectorKind, Values } from './collector.ts';
import type { LinuxSources } from './linux-sources.ts';
import type { ProcText } from './proc-text.ts';

const colon = 58;

/** The lines of /proc/meminfo that are used, in bytes; `undefined` for those a kernel does not have. */
export type MemoryInfo = Record<(typeof wanted)[number], number | undefined>;
const wanted = [
  'MemTotal',
  'MemFree',
  'MemAvailable',
  'Buffers',
  'Cached',
  'SReclaimable',
  'Shmem',
  'Dirty',
  'SwapTotal',
  'SwapFree',
] as const;
const isWanted = (name: string): name is (typeof wanted)[number] => (wanted as readonly string[]).includes(name);

/** Throws when total or free memory is missing. */
export const parseMeminfo = (text: ProcText): MemoryInfo => {
  const info: Partial<MemoryInfo> = {};
  for (; !text.done; text.nextLine()) {
    const name = text.wordUntil(colon);
    if (!isWanted(name)) continue;
    const kib = text.number();
    if (!Number.isNaN(kib)) info[name] = kib * 1024;
  }
  if (info.MemTotal === undefined || info.MemFree === undefined || info.MemTotal === 0)
    throw new Error('/proc/meminfo has no MemTotal or no MemFree.');
  return info as MemoryInfo;
};

/** In the order of the target's metrics. */
export const memoryValues = (info: MemoryInfo): Values => {
  const total = info.MemTotal ?? 0;
  const free = info.MemFree ?? 0;
  const buffers = info.Buffers ?? 0;
  const shared = info.Shmem ?? 0;
  const cached = (info.Cached ?? 0) + (info.SReclaimable ?? 0);
  const available = Math.min(total, info.MemAvailable ?? Math.max(free, free + buffers + cached - shared));
  const swap = info.SwapTotal;
  return [
    ((total - available) * 100) / total,
    total,
    available,
    free,
    Math.max(0, total - free - buffers - cached),
    info.Buffers,
    info.Cached === undefined ? undefined : cached,
    info.Shmem,
    info.Dirty,
    swap,
    swap === undefined || info.SwapFree === undefined ? undefined : Math.max(0, swap - info.SwapFree),
  ];
};

const onLinux = (sources: LinuxSources): Collector => {
  const file = sources.proc('meminfo');
  return { collect: (_tick, add) => add([], memoryValues(parseMeminfo(file.read()))) };
};

export const memoryCollector: CollectorKind = {
  target: memory,
  start: ({ linux, elsewhere }) =>
    linux
      ? onLinux(linux)
      : {
          collect: async (_tick, add) => {
            const m = await (await elsewhere()).memory();
            const usage = ((m.total - m.available) * 100) / m.total;
            add(
              [],
              [
                usage,
                m.total,
                m.available,
                m.free,
                m.used,
                m.buffers,
                m.cached,
                undefined,
                undefined,
                m.swapTotal,
                m.swapUsed,
              ],
            );
          },
        },
};
