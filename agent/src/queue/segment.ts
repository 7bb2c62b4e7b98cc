/**
 * What is kept in memory of each segment: how much of it is queued still, and which of its records are settled. Pure.
 *
 * Settled ranges are ascending and apart, and reach up to the next record that is not settled: so settling record after record leaves one range,
 * also where numbers were skipped. Samples of a range and samples queued are together all the samples of a segment, lost ones included.
 */
import type { RefusedOf, SeqRange } from './queue.ts';
import { recordBytes } from './record.ts';
import type { DictionaryPlace } from './recover-segment.ts';
import type { SegmentEnd } from './segment-format.ts';
import { firstFrom, type SegmentIndex } from './segment-index.ts';

export type Range = { from: number; to: number; stored: number; refused: number; gap: number };

export type Queued = { records: number; bytes: number; samples: number };

export type Segment = {
  readonly ordinal: number;
  readonly name: string;
  readonly salt: number;
  readonly epoch: number;
  readonly firstSeq: number;
  /** Its last record; numbers of lost ones are counted. */
  end: SegmentEnd;
  fileBytes: number;
  readonly queued: Queued;
  ranges: Range[];
  oldestMs: number;
  newestMs: number;
  /** When it was begun and when its last record was written, by the age clock. */
  readonly firstAgeMs: number;
  lastAgeMs: number;
  readonly dictionaries: DictionaryPlace[];
  isSealed: boolean;
  /** Up to this number it may hold records behind its end: writing them failed, and they were written again elsewhere. */
  failedTo: number;
};

export type SettledSums = { stored: number; refused: number; gap: number };

export const sumOf = (ranges: readonly SettledSums[]): SettledSums => {
  const sum = { stored: 0, refused: 0, gap: 0 };
  for (const one of ranges) {
    sum.stored += one.stored;
    sum.refused += one.refused;
    sum.gap += one.gap;
  }
  return sum;
};

/** The range that holds this number, or the first one behind it; `ranges.length` when there is none. */
const rangeAt = (ranges: readonly Range[], seq: number): number => {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.to ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
};

export const isSettled = (segment: { readonly ranges: readonly Range[] }, seq: number): boolean => {
  const range = segment.ranges[rangeAt(segment.ranges, seq)];
  return range !== undefined && range.from <= seq;
};

/** Adds a range, in one with those it meets. False, and nothing done, when it meets none and there may be no more. */
export const addRange = (segment: { ranges: Range[] }, range: Range, mayAdd = true): boolean => {
  const { ranges } = segment;
  const first = rangeAt(ranges, range.from - 1);
  let behind = first;
  const whole = { ...range };
  for (let one = ranges[behind]; one && one.from <= range.to + 1; behind += 1, one = ranges[behind]) {
    whole.from = Math.min(whole.from, one.from);
    whole.to = Math.max(whole.to, one.to);
    whole.stored += one.stored;
    whole.refused += one.refused;
    whole.gap += one.gap;
  }
  if (behind === first && !mayAdd) return false;
  ranges.splice(first, behind - first, whole);
  return true;
};

/** The records between two numbers as places in the index, the second not included; the range they make, up to their neighbors. */
const placesOf = (index: SegmentIndex, [from, to]: SeqRange): { lo: number; hi: number; from: number; to: number } => {
  const lo = firstFrom(index, from);
  const hi = Math.max(lo, firstFrom(index, to + 1));
  const before = lo > 0 ? (index.seqs[lo - 1] ?? 0) + 1 : (index.seqs[lo] ?? 0);
  const behind = hi < index.count ? (index.seqs[hi] ?? 0) - 1 : (index.seqs[hi - 1] ?? 0);
  return { lo, hi, from: before, to: behind };
};

export type Settling = SettledSums & Queued;

/**
 * Settles the records of a range that are not yet: stored but for what was refused. Returns what went; `undefined` when nothing did. Its index
 * must be that of the segment. `mayAdd`: see `addRange`.
 */
export const settle = (
  segment: Segment,
  index: SegmentIndex,
  range: SeqRange,
  refused: readonly RefusedOf[],
  mayAdd: boolean,
): Settling | undefined => {
  const { lo, hi, from, to } = placesOf(index, range);
  const went = { stored: 0, refused: 0, gap: 0, records: 0, bytes: 0, samples: 0 };
  for (let at = lo; at < hi; at += 1) {
    const seq = index.seqs[at] ?? 0;
    if (segment.ranges.length > 0 && isSettled(segment, seq)) continue;
    const samples = index.samples[at] ?? 0;
    let turnedDown = 0;
    for (const one of refused) if (one.seq === seq) turnedDown += one.samples;
    turnedDown = Math.min(samples, Math.max(0, turnedDown));
    went.records += 1;
    went.bytes += recordBytes(index.payloadBytes[at] ?? 0);
    went.samples += samples;
    went.refused += turnedDown;
    went.stored += samples - turnedDown;
  }
  if (went.records === 0) return undefined;
  if (!addRange(segment, { from, to, stored: went.stored, refused: went.refused, gap: 0 }, mayAdd)) return undefined;
  takeFrom(segment.queued, went);
  return went;
};

/** Settles all that is queued, without an index. */
export const settleWhole = (segment: Segment, as: 'stored' | 'gap'): Settling => {
  const { records, bytes, samples } = segment.queued;
  const sums = { stored: 0, refused: 0, gap: 0, [as]: samples };
  addRange(segment, { from: segment.firstSeq, to: segment.end.seq, ...sums });
  takeFrom(segment.queued, segment.queued);
  return { ...sums, records, bytes, samples };
};

/** A new record of the segment that is durable now. */
export const addRecord = (
  segment: Segment,
  one: { seq: number; timeMs: number; samples: number; total: number; payloadBytes: number },
): void => {
  const { queued, end, ordinal } = segment;
  queued.records += 1;
  queued.bytes += recordBytes(one.payloadBytes);
  queued.samples += one.samples;
  segment.end = { ordinal, seq: one.seq, total: one.total, records: end.records + 1 };
  segment.oldestMs = Math.min(segment.oldestMs, one.timeMs);
  segment.newestMs = Math.max(segment.newestMs, one.timeMs);
};

const takeFrom = (queued: Queued, gone: Queued): void => {
  const { records, bytes, samples } = gone;
  queued.records -= records;
  queued.bytes -= bytes;
  queued.samples -= samples;
};

/** The runs of records that are queued still, at most so many: the last one takes in all behind it. */
export const queuedRuns = (
  segment: Segment,
  index: SegmentIndex,
  most: number,
): (Queued & { from: number; to: number; fromMs: number; toMs: number })[] => {
  const runs: ReturnType<typeof queuedRuns> = [];
  let run: (typeof runs)[number] | undefined;
  for (let at = 0; at < index.count; at += 1) {
    const seq = index.seqs[at] ?? 0;
    const timeMs = index.timesMs[at] ?? 0;
    if (isSettled(segment, seq)) {
      if (runs.length < most) run = undefined;
      continue;
    }
    if (!run) {
      run = { from: seq, to: seq, fromMs: timeMs, toMs: timeMs, records: 0, bytes: 0, samples: 0 };
      runs.push(run);
    }
    run.to = seq;
    run.fromMs = Math.min(run.fromMs, timeMs);
    run.toMs = Math.max(run.toMs, timeMs);
    run.records += 1;
    run.bytes += index.payloadBytes[at] ?? 0;
    run.samples += index.samples[at] ?? 0;
  }
  return runs;
};
