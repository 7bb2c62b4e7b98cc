/**
 * Traffic per block device from /proc/diskstats: whole disks only (their partitions carry the same requests), no loop, ram or floppy
 * devices, and none that never served a request. Sectors are 512 bytes here whatever the disk says.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { disk } from '@thrum/actors/wire/catalogue/disk';
import type { Collector, CollectorKind, Values } from './collector.ts';
import type { LinuxSources } from './linux-sources.ts';
import { fieldLists } from './network.ts';
import type { ProcText } from './proc-text.ts';

const sectorBytes = 512;
/** The kernel keeps busy time in 32 bits: it begins again after 49 days of work. */
const busyTimeWraps = 2 ** 32;

const pseudo = /^(loop|ram|zram|fd|sr|nbd)\d+$/;
const partition = /^([hsv]d[a-z]+|xvd[a-z]+)\d+$|^(nvme\d+n\d+|mmcblk\d+|nbd\d+|md\d+)p\d+$/;

/** Judged by its name where /sys does not tell. */
export const isWholeDisk = (name: string, inSysBlock: ReadonlySet<string> | undefined): boolean =>
  !pseudo.test(name) && (inSysBlock ? inSysBlock.has(name) : !partition.test(name));

export type DiskLine = {
  name: string;
  reads: number;
  readSectors: number;
  readMs: number;
  writes: number;
  writtenSectors: number;
  writeMs: number;
  inProgress: number;
  busyMs: number;
};

/**
 * Calls `visit` with every line, always with the same object. Lines of 2.6's partitions (4 numbers) are passed over; those of later
 * kernels (15 numbers since 4.18 for discards, 17 since 5.5 for flushes) only add at the end. Throws when there is no device at all.
 */
export const parseDiskstats = (text: ProcText, line: DiskLine, visit: (line: DiskLine) => void): void => {
  let seen = 0;
  for (; !text.done; text.nextLine()) {
    text.number();
    text.number();
    line.name = text.word();
    line.reads = text.number();
    text.number();
    line.readSectors = text.number();
    line.readMs = text.number();
    line.writes = text.number();
    if (line.name === '' || Number.isNaN(line.readMs)) continue;
    seen += 1;
    text.number();
    line.writtenSectors = text.number();
    line.writeMs = text.number();
    line.inProgress = text.number();
    line.busyMs = text.number();
    if (!Number.isNaN(line.busyMs)) visit(line);
  }
  // A machine without any disk has an empty file.
  if (seen === 0 && text.end > 0) throw new Error('/proc/diskstats has no line of a device.');
};

export const emptyDiskLine = (): DiskLine => ({
  name: '',
  reads: 0,
  readSectors: 0,
  readMs: 0,
  writes: 0,
  writtenSectors: 0,
  writeMs: 0,
  inProgress: 0,
  busyMs: 0,
});

/** Part of `ms` in which the device was busy; at most 100 though the kernel's clock may run ahead of ours. */
export const busyPercent = (beforeMs: number, nowMs: number, ms: number): number => {
  const busy = nowMs >= beforeMs ? nowMs - beforeMs : nowMs + busyTimeWraps - beforeMs;
  return ms <= 0 || busy > busyTimeWraps / 2 ? 0 : Math.min(100, (busy * 100) / ms);
};

/** Disks come and go rarely: a name not met before makes /sys be asked again, anything else does not. */
const wholeDisks = (sysRoot: string): ((name: string) => boolean) => {
  const known = new Map<string, boolean>();
  const listed = (): ReadonlySet<string> | undefined => {
    try {
      return new Set(readdirSync(join(sysRoot, 'block')).map((name) => name.replaceAll('!', '/')));
    } catch {
      return undefined;
    }
  };
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    if (known.size >= 4096) known.clear();
    const judged = isWholeDisk(name, listed());
    known.set(name, judged);
    return judged;
  };
};

const onLinux = (sources: LinuxSources): Collector => {
  const file = sources.proc('diskstats');
  const isWhole = wholeDisks(sources.sysRoot);
  const fieldsOf = fieldLists();
  const line = emptyDiskLine();
  const values: Values = [];
  let busy = new Map<string, { busyMs: number; atMs: number }>();
  return {
    collect: ({ monotonicMs: atMs }, add) => {
      const seen: typeof busy = new Map();
      parseDiskstats(file.read(), line, () => {
        if ((line.reads === 0 && line.writes === 0) || !isWhole(line.name)) return;
        const last = busy.get(line.name);
        seen.set(line.name, { busyMs: line.busyMs, atMs });
        values[0] = line.readSectors * sectorBytes;
        values[1] = line.writtenSectors * sectorBytes;
        values[2] = line.reads;
        values[3] = line.writes;
        values[4] = line.readMs;
        values[5] = line.writeMs;
        values[6] = last && busyPercent(last.busyMs, line.busyMs, atMs - last.atMs);
        values[7] = line.inProgress;
        add(fieldsOf(line.name), values);
      });
      busy = seen;
    },
  };
};

export const diskCollector: CollectorKind = {
  target: disk,
  start: ({ linux, elsewhere }) =>
    linux
      ? onLinux(linux)
      : {
          collect: async (_tick, add) => {
            const all = await (await elsewhere()).disks();
            if (all)
              add(['all'], [undefined, undefined, all.reads, all.writes, undefined, undefined, undefined, undefined]);
          },
        },
};
