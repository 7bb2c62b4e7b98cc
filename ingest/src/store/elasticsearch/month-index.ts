/**
 * Names of the monthly indices, `PREFIX-events-2026.11` and `PREFIX-refused-2026.11`: the only place that makes or reads one. Only names of
 * exactly this form are ever deleted.
 */
import { dayMs } from '../sample-time.ts';

export type MonthIndex = 'events' | 'refused';
/** Months since January 1970 UTC. */
export type Month = number;

export const monthOf = (timeMs: number): Month => {
  const date = new Date(timeMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
};

const startOf = (month: Month): number => Date.UTC(1970 + Math.floor(month / 12), month % 12);

/** The month of a time, but none further than one from now: a wrong clock must not make indices for all centuries. */
export const nearMonthOf = (timeMs: number, nowMs: number): Month => {
  const now = monthOf(nowMs);
  // further than this is further than a month, and may be no date at all
  const near = Math.min(Math.max(timeMs, nowMs - 70 * dayMs), nowMs + 70 * dayMs);
  return Math.min(Math.max(monthOf(near), now - 1), now + 1);
};

/** A dead letter is in the month of its sample, unless that is further away than this: then its host's clock says nothing. */
export const maxLetterAwayDays = 31;

/** The same for a letter whenever it comes again, also after the end of the month in which it came first. */
export const letterMonthOf = (sampleMs: number, nowMs: number): Month =>
  Math.abs(sampleMs - nowMs) <= maxLetterAwayDays * dayMs ? monthOf(sampleMs) : monthOf(nowMs);

export const monthIndexName = (prefix: string, kind: MonthIndex, month: Month): string =>
  `${prefix}-${kind}-${new Date(startOf(month)).toISOString().slice(0, 7).replace('-', '.')}`;

export const monthIndexPattern = (prefix: string, kind: MonthIndex): string => `${prefix}-${kind}-*`;

/** The month a name says, `undefined` when it is not one of ours. */
export const readMonthIndexName = (prefix: string, kind: MonthIndex, name: string): Month | undefined => {
  const start = `${prefix}-${kind}-`;
  if (!name.startsWith(start)) return undefined;
  const [, year, month] = /^(\d{4})\.(\d{2})$/.exec(name.slice(start.length)) ?? [];
  if (year === undefined || month === undefined) return undefined;
  const read = monthOf(Date.UTC(Number(year), Number(month) - 1));
  return monthIndexName(prefix, kind, read) === name ? read : undefined;
};

/** Whether the whole month is older than what is kept. */
export const isMonthOutdated = (month: Month, nowMs: number, keptDays: number): boolean =>
  startOf(month + 1) <= nowMs - keptDays * dayMs;
