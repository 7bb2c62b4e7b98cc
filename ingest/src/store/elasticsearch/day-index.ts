/**
 * Names of the day indices, `PREFIX-1s-TARGET-2026.11.22`: the only place that makes or reads one. A sample belongs to the UTC day
 * of its own time, whenever it arrives. Only names of exactly this form are ever deleted.
 */
import { dayMs } from '../sample-time.ts';

export type Day = number; // days since 1970-01-01 UTC

export const dayOf = (timeMs: number): Day => Math.floor(timeMs / dayMs);

const dateOf = (day: Day): string => new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '.');

export const dayIndexName = (prefix: string, target: string, day: Day): string =>
  `${prefix}-1s-${target}-${dateOf(day)}`;

/** All days of one target, or of all. */
export const dayIndexPattern = (prefix: string, target?: string): string =>
  target === undefined ? `${prefix}-1s-*` : `${prefix}-1s-${target}-*`;

const form = /^1s-([a-z][a-z0-9_]*)-(\d{4})\.(\d{2})\.(\d{2})$/;

/** What a name says, `undefined` when it is not one of ours. */
export const readDayIndexName = (prefix: string, name: string): { target: string; day: Day } | undefined => {
  if (!name.startsWith(`${prefix}-`)) return undefined;
  const parts = form.exec(name.slice(prefix.length + 1));
  if (!parts) return undefined;
  const day = dayOf(Date.UTC(Number(parts[2]), Number(parts[3]) - 1, Number(parts[4])));
  const target = parts[1] ?? '';
  return dayIndexName(prefix, target, day) === name ? { target, day } : undefined;
};

/** The end of its day. */
export const endOfDayIndex = (prefix: string, name: string): number | undefined => {
  const read = readDayIndexName(prefix, name);
  return read && (read.day + 1) * dayMs;
};

/** Whether it is one of our names and its whole day is older than what is kept. */
export const isDayOutdated = (prefix: string, name: string, nowMs: number, retentionDays: number): boolean => {
  const read = readDayIndexName(prefix, name);
  return read !== undefined && (read.day + 1) * dayMs <= nowMs - retentionDays * dayMs;
};
