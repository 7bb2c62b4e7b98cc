/**
 * The gaps that the store does not have yet. Neighbors become one while a gap is open. Closed, it never changes again: it is given out as a
 * checkpoint holds it, told by a record of the queue, kept until that record is acknowledged, and given out again when that record is lost.
 *
 * Bounded: so many are closed at most, and the others wait; of those that wait beyond their bound the two nearest of one reason become one, and
 * their counts stay exact while their numbers may cover more than was lost.
 */
import type { Gap, Position } from './queue.ts';
import { gapId, maxGaps, type HeldGap, type KeptGap } from './checkpoint.ts';
import { rules as allRules, type QueueRules } from './rules.ts';

/** Closed ones may have to be told again all at once: so many events, and no more. */
const maxClosed = 192;
const maxOpen = maxGaps - maxClosed;

export type GapKeeper = {
  /** It may cover records that tell others: those are given out again. */
  add(gap: KeptGap): void;
  /** Of an earlier process. */
  restore(held: readonly HeldGap[]): void;
  /** Those that may be given out change no more. */
  close(): void;
  next(): Gap | undefined;
  /** This record tells it; `undefined`: none does. */
  tell(id: string, at: Position | undefined): void;
  /** Records that tell gaps are in the store. True when there were any. */
  acknowledged(isAcknowledged: (at: Position) => boolean): boolean;
  /** Some would be given out if a checkpoint held them. */
  isWaiting(): boolean;
  /** For a checkpoint. */
  all(): readonly HeldGap[];
  /** These are in a checkpoint that is on disk. */
  areDurable(held: readonly HeldGap[]): void;
};

type Entry = { gap: KeptGap; isClosed: boolean; isDurable: boolean; toldIn: Position | undefined };

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

const hasNumbers = (gap: KeptGap): boolean => gap.lastSeq >= gap.firstSeq;

const areNeighbors = (a: KeptGap, b: KeptGap): boolean =>
  a.epoch === b.epoch && a.reason === b.reason && hasNumbers(a) && a.lastSeq + 1 === b.firstSeq;

/** How much is told wrong when they become one: numbers that were not lost, or, of two epochs, numbers that are not told. */
const costOfJoining = (a: KeptGap, b: KeptGap): number => {
  if (a.reason !== b.reason) return Infinity;
  if (!hasNumbers(a) && !hasNumbers(b)) return 0;
  if (a.epoch !== b.epoch || !hasNumbers(a) || !hasNumbers(b)) return Number.MAX_VALUE;
  return Math.max(0, Math.max(a.firstSeq, b.firstSeq) - Math.min(a.lastSeq, b.lastSeq));
};

export const createGapKeeper = (
  rules: Pick<QueueRules, 'mayGrow' | 'mayBeTold' | 'mayForgetGap'> = allRules,
): GapKeeper => {
  let entries: Entry[] = [];
  const mayGrow = ({ isClosed }: Entry): boolean => rules.mayGrow({ isGivenOut: isClosed });
  const grow = (entry: Entry, gap: KeptGap): void => {
    entry.gap = joined(entry.gap, gap);
    entry.isDurable = false;
  };

  const joinNearest = (): void => {
    const open = entries.filter(mayGrow);
    if (open.length <= maxOpen) return;
    let [best, one, other]: [number, Entry | undefined, Entry | undefined] = [Infinity, undefined, undefined];
    for (const [i, a] of open.entries())
      for (const b of open.slice(i + 1)) {
        const cost = costOfJoining(a.gap, b.gap);
        if (cost < best) [best, one, other] = [cost, a, b];
      }
    if (!one || !other) throw new Error(`BUG: ${open.length} gaps of ${open.length} reasons`);
    grow(one, other.gap);
    entries = entries.filter((entry) => entry !== other);
  };

  const close = (): void => {
    let room = maxClosed - entries.filter(({ isClosed }) => isClosed).length;
    for (const entry of entries) {
      if (entry.isClosed || room <= 0) continue;
      room -= 1;
      entry.isClosed = true;
      entry.isDurable = false;
      entry.gap = { ...entry.gap };
    }
  };

  return {
    add: (gap) => {
      for (const entry of entries)
        if (entry.toldIn?.epoch === gap.epoch && gap.firstSeq <= entry.toldIn.seq && entry.toldIn.seq <= gap.lastSeq)
          entry.toldIn = undefined;
      const neighbor = entries.findLast((entry) => mayGrow(entry) && areNeighbors(entry.gap, gap));
      if (neighbor) return grow(neighbor, gap);
      entries.push({ gap, isClosed: false, isDurable: false, toldIn: undefined });
      joinNearest();
    },
    restore: (held) => {
      entries.push(...held.map((one) => ({ ...one, isDurable: true })));
    },
    close,
    next: () => {
      close();
      const entry = entries.find((one) => one.isClosed && !one.toldIn && rules.mayBeTold(one));
      if (!entry) return undefined;
      const { epoch, firstSeq, lastSeq, batches, samples, bytes, fromMs, toMs, reason } = entry.gap;
      return { id: gapId(entry.gap), epoch, firstSeq, lastSeq, batches, samples, bytes, fromMs, toMs, reason };
    },
    tell: (id, at) => {
      const entry = entries.find(({ gap }) => gapId(gap) === id);
      if (!entry) return;
      entry.toldIn = at;
      if (rules.mayForgetGap({ isAcknowledged: false })) entries = entries.filter((one) => one !== entry);
    },
    acknowledged: (isAcknowledged) => {
      const before = entries.length;
      entries = entries.filter(
        ({ toldIn }) => !toldIn || !rules.mayForgetGap({ isAcknowledged: isAcknowledged(toldIn) }),
      );
      return entries.length < before;
    },
    isWaiting: () => entries.some((one) => one.isClosed && !one.toldIn && !rules.mayBeTold(one)),
    // Older programs had no bound of their own for closed ones: what is beyond it waits in memory.
    all: () => entries.slice(0, maxGaps).map(({ gap, isClosed, toldIn }) => ({ gap, isClosed, toldIn })),
    areDurable: (held) => {
      const durable = new Set(held.map(({ gap }) => gap));
      for (const entry of entries) if (durable.has(entry.gap)) entry.isDurable = true;
    },
  };
};
