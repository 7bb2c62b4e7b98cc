/**
 * The gaps that nobody keeps yet. Neighbors become one until one of them was told. Bounded: beyond the bound the newest two that may
 * become one, and their counts stay exact while their numbers cover more than was lost.
 */
import type { Gap } from './queue.ts';
import { gapId, maxGaps, type KeptGap } from './checkpoint.ts';
import { rules as allRules, type QueueRules } from './rules.ts';

export type GapKeeper = {
  add(gap: KeptGap): void;
  /** Of an earlier process: may have been told already. */
  restore(gaps: readonly KeptGap[]): void;
  next(): Gap | undefined;
  /** True when there was one. */
  forget(id: string): boolean;
  all(): readonly KeptGap[];
  /** These are in a checkpoint that is on disk. */
  areDurable(gaps: readonly KeptGap[]): void;
};

type Entry = { gap: KeptGap; isGivenOut: boolean; isDurable: boolean };

const joined = (a: KeptGap, b: KeptGap): KeptGap => {
  const newer = b.epoch > a.epoch ? b : a;
  const oneEpoch = a.epoch === b.epoch;
  return {
    epoch: newer.epoch,
    reason: newer.reason,
    foundIn: newer.foundIn,
    firstSeq: oneEpoch ? Math.min(a.firstSeq, b.firstSeq) : newer.firstSeq,
    lastSeq: oneEpoch ? Math.max(a.lastSeq, b.lastSeq) : newer.lastSeq,
    batches: a.batches + b.batches,
    samples: a.samples + b.samples,
    bytes: a.bytes + b.bytes,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
  };
};

const areNeighbors = (a: KeptGap, b: KeptGap): boolean =>
  a.epoch === b.epoch && a.reason === b.reason && a.lastSeq >= a.firstSeq && a.lastSeq + 1 === b.firstSeq;

export const createGapKeeper = (rules: Pick<QueueRules, 'mayGrow' | 'mayBeTold'> = allRules): GapKeeper => {
  let entries: Entry[] = [];
  const join = (at: number, gap: KeptGap): void => {
    const entry = entries[at];
    if (entry) entries[at] = { gap: joined(entry.gap, gap), isGivenOut: false, isDurable: false };
  };
  return {
    add: (gap) => {
      const at = entries.findLastIndex((entry) => rules.mayGrow(entry) && areNeighbors(entry.gap, gap));
      if (at >= 0) return join(at, gap);
      if (entries.length >= maxGaps) {
        const last = entries.findLastIndex((entry) => rules.mayGrow(entry));
        return join(last >= 0 ? last : entries.length - 1, gap);
      }
      entries.push({ gap, isGivenOut: false, isDurable: false });
    },
    restore: (gaps) => {
      entries.push(...gaps.map((gap) => ({ gap, isGivenOut: true, isDurable: true })));
    },
    next: () => {
      const entry = entries.find((one) => rules.mayBeTold(one));
      if (!entry) return undefined;
      entry.isGivenOut = true;
      const { epoch, firstSeq, lastSeq, batches, samples, bytes, fromMs, toMs, reason } = entry.gap;
      return { id: gapId(entry.gap), epoch, firstSeq, lastSeq, batches, samples, bytes, fromMs, toMs, reason };
    },
    forget: (id) => {
      const before = entries.length;
      entries = entries.filter(({ gap }) => gapId(gap) !== id);
      return entries.length < before;
    },
    all: () => entries.map(({ gap }) => gap),
    areDurable: (gaps) => {
      const durable = new Set(gaps);
      for (const entry of entries) if (durable.has(entry.gap)) entry.isDurable = true;
    },
  };
};
