/**
 * What is settled of a queue that is found again, and what is missing in it. Pure. With a checkpoint the sums are exact. Without one the newest
 * header says what was settled when its segment began; of the rest nobody knows whether it ever was, and it counts as lost.
 */
import type { Checkpoint, KeptGap } from './checkpoint.ts';
import type { SegmentRecords } from './recover-segment.ts';
import { sumOf, type Segment, type SettledSums } from './segment.ts';

export type Read = { readonly name: string; readonly records: SegmentRecords; readonly segment: Segment };

export const total = ({ stored, refused, gap }: SettledSums): number => stored + refused + gap;

/** What was settled of a segment that is gone stays settled. */
export const settledOutside = ({ settled, ranges }: Checkpoint, segments: readonly Segment[]): SettledSums => {
  const there = new Set(segments.map(({ ordinal }) => ordinal));
  return sumOf([settled, ...ranges.filter(({ ordinal }) => !there.has(ordinal))]);
};

/** Without a checkpoint: what the newest header knew to be settled. */
export const settledByHeaders = (reads: readonly Read[], mostSettled: number): SettledSums => {
  const before = reads.findLast(({ records }) => records.header)?.records.header?.before;
  let left = Math.max(0, mostSettled);
  const take = (known = 0): number => {
    const taken = Math.min(left, Math.max(0, known));
    left -= taken;
    return taken;
  };
  // What is settled in segments that are there comes back: of the sums the stored ones are the first to be too large.
  const refused = take(before?.refused);
  const gap = take(before?.gap);
  return { stored: take(before?.stored), refused, gap };
};

/** Whole segments are gone: between which numbers, as well as the neighbors know. */
export const whereMissing = (
  reads: readonly Read[],
  missing: number,
  known: Checkpoint | undefined,
): Pick<KeptGap, 'epoch' | 'firstSeq' | 'lastSeq' | 'batches' | 'fromMs' | 'toMs'> => {
  let before: Segment | undefined;
  for (const { segment, records } of reads) {
    const begins = records.header?.before.produced;
    if (begins !== undefined && begins - (before?.end.total ?? 0) >= missing) {
      const isOneEpoch = before?.epoch === segment.epoch;
      const firstSeq = isOneEpoch && before ? before.end.seq + 1 : 0;
      const lastSeq = segment.firstSeq - 1;
      const [fromMs, toMs] = [before?.newestMs ?? segment.oldestMs, segment.oldestMs];
      // Before the first record of an epoch lies another epoch, and nobody knows which: no numbers then.
      const batches = lastSeq < firstSeq ? (records.header?.previous?.records ?? 0) : lastSeq - firstSeq + 1;
      return { epoch: segment.epoch, firstSeq, lastSeq, batches, fromMs, toMs };
    }
    before = segment;
  }
  const epoch = known?.end?.epoch ?? before?.epoch ?? known?.lastEpoch ?? 0;
  const lastSeq = Math.max(known?.end?.seq ?? 0, before?.epoch === epoch ? before.end.seq : 0);
  if (before?.epoch === epoch && before.end.seq >= lastSeq) {
    // Nothing is missing at the end: it was somewhere before, and the neighbors that knew where are damaged too.
    const [fromMs, toMs] = [reads[0]?.segment.oldestMs ?? before.oldestMs, before.newestMs];
    return { epoch, firstSeq: 0, lastSeq: -1, batches: 0, fromMs: Math.min(fromMs, toMs), toMs };
  }
  const firstSeq = before?.epoch === epoch ? before.end.seq + 1 : 0;
  const aboutMs = known?.newestMs ?? known?.writtenMs ?? 0;
  const fromMs = before?.newestMs ?? aboutMs;
  const toMs = Math.max(fromMs, aboutMs);
  return { epoch, firstSeq, lastSeq, batches: lastSeq - firstSeq + 1, fromMs, toMs };
};
