/** The load averages, from /proc/loadavg or from what the system's own call says. Windows has none. */
import { loadavg } from 'node:os';
import { load } from '@thrum/actors/wire/catalogue/load';
import type { Collector, CollectorKind } from './collector.ts';
import type { ProcText } from './proc-text.ts';

export type LoadAverages = { readonly loads: readonly [number, number, number]; readonly threads: number | undefined };

/** `0.20 0.18 0.12 1/80 11206`. Throws when the three averages are not there. */
export const parseLoadavg = (text: ProcText): LoadAverages => {
  const loads = [text.number(), text.number(), text.number()] as const;
  if (loads.some(Number.isNaN)) throw new Error('/proc/loadavg does not begin with three numbers.');
  text.number();
  const threads = text.take('/') ? text.number() : Number.NaN;
  return { loads, threads: Number.isNaN(threads) ? undefined : threads };
};

export const loadCollector: CollectorKind = {
  target: load,
  start: ({ linux }): Collector | undefined => {
    if (linux) {
      const file = linux.proc('loadavg');
      return { collect: (_tick, add) => add([], [...parseLoadavg(file.read()).loads]) };
    }
    return process.platform === 'win32' ? undefined : { collect: (_tick, add) => add([], loadavg()) };
  },
};
