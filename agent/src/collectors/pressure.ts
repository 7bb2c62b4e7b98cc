/**
 * Pressure (PSI): the part of the time since the last tick in which work stood still for want of a resource, from the totals in
 * microseconds under /proc/pressure. A kernel without them (before 4.20, or started with psi=0) has no such target.
 */
import { pressure } from '@thrum/actors/wire/catalogue/pressure';
import type { Collector, CollectorKind } from './collector.ts';
import type { LinuxSources, ProcFile } from './linux-sources.ts';
import type { ProcText } from './proc-text.ts';

export type Stalls = { readonly some: number; readonly full: number | undefined };

const total = (text: ProcText): number => {
  for (;;) {
    const word = text.wordUntil(61); // "="
    if (word === '') return Number.NaN;
    const value = text.number();
    if (word === 'total') return value;
  }
};

/** Microseconds of standstill since boot; `full` of the cpu is there since 5.13. Throws when there is no line "some". */
export const parsePressure = (text: ProcText): Stalls => {
  let some = Number.NaN;
  let full = Number.NaN;
  for (; !text.done; text.nextLine())
    if (text.take('some ')) some = total(text);
    else if (text.take('full ')) full = total(text);
  if (Number.isNaN(some)) throw new Error('A file of /proc/pressure has no line "some" with a total.');
  return { some, full: Number.isNaN(full) ? undefined : full };
};

/** Percent of the time between two readings; `undefined` when a total is missing or went backwards. */
export const stallPercent = (before: number | undefined, now: number | undefined, ms: number): number | undefined =>
  before === undefined || now === undefined || now < before || ms <= 0
    ? undefined
    : Math.min(100, (now - before) / (ms * 10));

type Resource = { fields: readonly string[]; file: ProcFile; last: (Stalls & { atMs: number }) | undefined };

const onLinux = (sources: LinuxSources): Collector | undefined => {
  const resources = ['cpu', 'io', 'memory']
    .map((name): Resource => ({ fields: [name], file: sources.proc(`pressure/${name}`), last: undefined }))
    .filter(({ file }) => {
      try {
        parsePressure(file.read());
        return true;
      } catch {
        return false; // no such file, or "not supported": this kernel does not account it
      }
    });
  if (resources.length === 0) return undefined;
  return {
    collect: ({ monotonicMs: atMs }, add) => {
      for (const resource of resources) {
        const { last } = resource;
        const now = parsePressure(resource.file.read());
        resource.last = { ...now, atMs };
        if (!last) continue;
        const some = stallPercent(last.some, now.some, atMs - last.atMs);
        const full = stallPercent(last.full, now.full, atMs - last.atMs);
        if (some !== undefined || full !== undefined) add(resource.fields, [some, full]);
      }
    },
  };
};

export const pressureCollector: CollectorKind = {
  target: pressure,
  start: ({ linux }) => (linux ? onLinux(linux) : undefined),
};
