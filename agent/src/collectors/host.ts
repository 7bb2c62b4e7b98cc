/** The machine as a whole: uptime, processes, and what its kernel counts since boot. */
import { uptime } from 'node:os';
import { host } from '@thrum/actors/wire/catalogue/host';
import type { Collector, CollectorKind } from './collector.ts';
import type { LinuxSources } from './linux-sources.ts';
import { parseLoadavg } from './load.ts';
import type { ProcText } from './proc-text.ts';

/** Seconds since boot. Throws when the file does not begin with a number. */
export const parseUptime = (text: ProcText): number => {
  const seconds = text.number();
  if (Number.isNaN(seconds)) throw new Error('/proc/uptime does not begin with a number.');
  return seconds;
};

/** `allocated  free  limit`: handles in use. Very old kernels keep free ones in the first number. */
export const parseFileNr = (text: ProcText): number | undefined => {
  const allocated = text.number();
  const free = text.number();
  return Number.isNaN(allocated) || Number.isNaN(free) ? undefined : Math.max(0, allocated - free);
};

const onLinux = (sources: LinuxSources): Collector => {
  const uptimeFile = sources.proc('uptime');
  const loadFile = sources.proc('loadavg');
  const fileNr = sources.proc('sys/fs/file-nr');
  return {
    collect: ({ monotonicMs }, add) => {
      const seconds = parseUptime(uptimeFile.read());
      const { threads } = parseLoadavg(loadFile.read());
      const openFiles = parseFileNr(fileNr.read());
      const stat = sources.stat(monotonicMs);
      add(
        [],
        [seconds, threads, stat.running, stat.blocked, stat.forks, stat.contextSwitches, stat.interrupts, openFiles],
      );
    },
  };
};

const none = undefined;

export const hostCollector: CollectorKind = {
  target: host,
  start: ({ linux }) =>
    linux ? onLinux(linux) : { collect: (_tick, add) => add([], [uptime(), none, none, none, none, none, none, none]) },
};
