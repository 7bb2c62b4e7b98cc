/**
 * The numbers one chart draws, cut from what is known to the window and shaped for drawing: a hole where samples are missing, values
 * heaped up when stacked, mirrored when below zero. Arrays are reused from one drawing to the next, so that a page that runs for
 * days leaves nothing behind.
 */
import type { AnswerSeries } from '@thrum/actors/wire/question';
import type { Line } from './chart-plan.ts';

export type Numbers = (number | null)[];

export type Gap = { readonly fromMs: number; readonly toMs: number };

export type ChartData = {
  /** Time of each tick, in ms. */
  readonly timesMs: number[];
  /** As measured: one list per line. */
  readonly raw: Numbers[];
  /** As drawn: heaped up and mirrored. */
  readonly drawn: Numbers[];
  /** Where samples are missing between two that are there. */
  readonly gaps: Gap[];
  /** Largest drawn values above and below zero. */
  above: number;
  below: number;
  /** Distance of these samples: some targets are measured less often than others. */
  periodMs: number;
};

export const emptyData = (lines: number): ChartData => ({
  timesMs: [],
  raw: Array.from({ length: lines }, () => []),
  drawn: Array.from({ length: lines }, () => []),
  gaps: [],
  above: 0,
  below: 0,
  periodMs: 0,
});

/** Ticks further apart than this many periods have something missing between them. */
const gapPeriods = 2.5;

export type Source = {
  readonly timesMs: ArrayLike<number>;
  /** One column per line; `undefined` for a line the host does not have. */
  readonly columns: readonly (ArrayLike<number | null> | undefined)[];
  readonly periodMs: number;
};

/** First index whose time is at or after `timeMs`. */
export const firstAt = (timesMs: ArrayLike<number>, timeMs: number): number => {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
};

const known = (value: number | null | undefined): number | null =>
  value === null || value === undefined || Number.isNaN(value) ? null : value;

const isMeasured = ({ columns }: Source, tick: number): boolean =>
  columns.some((column) => known(column?.[tick]) !== null);

/** Smallest distance of ticks at which anything was measured, at least the period of the host. */
const ownPeriod = (source: Source, first: number, end: number): number => {
  let beforeMs: number | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (let tick = first; tick < end; tick += 1) {
    if (!isMeasured(source, tick)) continue;
    const timeMs = source.timesMs[tick] ?? Number.NaN;
    if (beforeMs !== undefined) smallest = Math.min(smallest, timeMs - beforeMs);
    beforeMs = timeMs;
  }
  return Math.max(source.periodMs, Number.isFinite(smallest) ? smallest : 0);
};

/** Fills `data` with the window of the source, one tick beyond either edge so that lines reach the border. */
export const fillData = (
  data: ChartData,
  source: Source,
  window: { fromMs: number; toMs: number },
  shape: { lines: readonly Line[]; stacked: boolean },
): void => {
  const { timesMs, raw, drawn, gaps } = data;
  timesMs.length = 0;
  gaps.length = 0;
  data.above = 0;
  data.below = 0;
  for (const list of raw) list.length = 0;
  for (const list of drawn) list.length = 0;
  const first = Math.max(0, firstAt(source.timesMs, window.fromMs) - 1);
  const end = Math.min(source.timesMs.length, firstAt(source.timesMs, window.toMs) + 1);
  data.periodMs = ownPeriod(source, first, end);
  let beforeMs: number | undefined;
  for (let tick = first; tick < end; tick += 1) {
    if (!isMeasured(source, tick)) continue;
    const timeMs = source.timesMs[tick] ?? Number.NaN;
    if (beforeMs !== undefined && timeMs - beforeMs > gapPeriods * data.periodMs) {
      gaps.push({ fromMs: beforeMs, toMs: timeMs });
      timesMs.push(beforeMs + data.periodMs / 2);
      for (const list of raw) list.push(null);
      for (const list of drawn) list.push(null);
    }
    beforeMs = timeMs;
    timesMs.push(timeMs);
    let heap = 0;
    for (let line = 0; line < shape.lines.length; line += 1) {
      const value = known(source.columns[line]?.[tick]);
      raw[line]?.push(value);
      let height = value;
      if (height !== null) {
        if (shape.stacked) height = heap += height;
        if (shape.lines[line]?.below === true) height = -height;
        if (height > data.above) data.above = height;
        if (-height > data.below) data.below = -height;
      }
      drawn[line]?.push(height);
    }
  }
};

/** The tick at a moment, or `undefined` when nothing was measured near it. */
export const tickAt = ({ timesMs, periodMs, raw }: ChartData, atMs: number): number | undefined => {
  const after = firstAt(timesMs, atMs);
  const near = [after - 1, after]
    .filter((tick) => timesMs[tick] !== undefined && raw.some((list) => list[tick] !== null))
    .sort((a, b) => Math.abs((timesMs[a] ?? 0) - atMs) - Math.abs((timesMs[b] ?? 0) - atMs))[0];
  return near !== undefined && Math.abs((timesMs[near] ?? 0) - atMs) <= gapPeriods * periodMs ? near : undefined;
};

/** How many ticks are drawn, and the longest time between two of them that stand side by side: what a chart says of itself. */
export const extentOf = ({ timesMs, raw }: ChartData): { points: number; longestGapMs: number } => {
  let points = 0;
  let longestGapMs = 0;
  let beforeMs: number | undefined;
  for (let tick = 0; tick < timesMs.length; tick += 1) {
    if (!raw.some((list) => list[tick] !== null)) continue;
    const timeMs = timesMs[tick] ?? 0;
    points += 1;
    if (beforeMs !== undefined) longestGapMs = Math.max(longestGapMs, timeMs - beforeMs);
    beforeMs = timeMs;
  }
  return { points, longestGapMs };
};

/** The answer to a question about the past as a source: one tick per bucket, at its middle. */
export const sourceOfAnswer = (
  answer: { startMs: number; bucketMs: number; question: { metrics: readonly string[] } },
  series: AnswerSeries | undefined,
  lines: readonly Line[],
): Source => {
  const buckets = series?.values[0]?.length ?? 0;
  return {
    timesMs: Array.from({ length: buckets }, (_, i) => answer.startMs + (i + 0.5) * answer.bucketMs),
    columns: lines.map((line) => series?.values[answer.question.metrics.indexOf(line.metric)]),
    periodMs: answer.bucketMs,
  };
};
