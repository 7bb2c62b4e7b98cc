/**
 * The segments of a queue and the account: what is queued in each, what is settled in them, what is settled in none of them any more. Pure but
 * for its own state. At every moment produced = stored + refused + gap + queued.
 */
import type { Account, LossReason, QueuedBatch, RefusedOf, SeqRange } from './queue.ts';
import type { KeptGap, SettledRange } from './checkpoint.ts';
import type { GapKeeper } from './gap-keeper.ts';
import { reconcile } from './reconcile.ts';
import type { SegmentRecords } from './recover-segment.ts';
import type { QueueRules } from './rules.ts';
import { firstFrom, type SegmentIndex } from './segment-index.ts';
import {
  addRange,
  queuedRuns,
  settle,
  settleWhole,
  sumOf,
  type Segment,
  type SettledSums,
  type Settling,
} from './segment.ts';

/** All segments together. An acknowledgement that would need more is not noted: those records are sent again. */
const maxRanges = 8192;
/** Acknowledgements that wait until the index of their segment was read. */
const maxDeferred = 256;
/** A segment that is given up leaves no more gaps than this; the last one then covers settled numbers too. */
const maxGapsOfOne = 16;

type Deferred = { readonly ordinal: number; readonly range: SeqRange; readonly refused: readonly RefusedOf[] };

type Place = { readonly segment: Segment | undefined; readonly seq: number };
const nowhere: Place = { segment: undefined, seq: 0 };

export type Shelf = {
  /** Oldest first; the last one may be being written. */
  readonly segments: Segment[];
  /** Settled and in no segment here. */
  readonly outside: SettledSums;
  readonly dropped: number;
  account(): Account;
  queued(): { readonly records: number; readonly bytes: number };
  fileBytes(): number;
  /** Records came, or went, that are in no segment: in memory. */
  count(records: number, bytes: number, samples: number): void;
  produce(samples: number): void;
  /** Samples of a record in memory are stored or refused. Where it may stand all the same it is noted, so that it does not count again when found. */
  settleOutside(sums: SettledSums, place?: Place): void;
  /** A record in memory is given up. */
  loseOutside(record: QueuedBatch, reason: KeptGap['reason'], segment?: Segment): void;
  /** Samples of which no crash takes anything away. */
  durable(): number;
  /** `index`: of a segment, if it is known. Returns how many records went; more may go when `deferred` are taken. */
  ack(
    epoch: number,
    ranges: readonly SeqRange[],
    refused: readonly RefusedOf[],
    index: (segment: Segment) => SegmentIndex | undefined,
  ): number;
  /** Segments whose index is wanted by acknowledgements. */
  deferred(): Segment[];
  takeDeferred(segment: Segment, index: SegmentIndex): void;
  /** They cannot be noted: those records are sent again. */
  dropDeferred(segment: Segment): void;
  /** Time of the oldest record in the segments: that of its segment where its index is not known. */
  oldestMs(index: (segment: Segment) => SegmentIndex | undefined): number | undefined;
  /** The samples left in it are lost. Without an index the gap covers numbers that are settled too. */
  giveUp(segment: Segment, reason: KeptGap['reason'], index: SegmentIndex | undefined): void;
  /** A segment was read again: what cannot be read any more is lost. */
  foundLost(segment: Segment, records: Pick<SegmentRecords, 'index' | 'damage'>): void;
  /** A record that cannot be read, or that is given up. */
  loseRecord(segment: Segment, index: SegmentIndex, at: number, reason?: LossReason): void;
  /** Takes out a segment of which nothing is queued. */
  remove(segment: Segment): void;
  ranges(): SettledRange[];
};

const all = ({ stored, refused, gap }: SettledSums): number => stored + refused + gap;

export const createShelf = (options: {
  segments: Segment[];
  outside: SettledSums;
  gaps: GapKeeper;
  epoch: number;
  rules: QueueRules;
}): Shelf => {
  const { segments, gaps, rules } = options;
  const outside = { ...options.outside };
  const inside = sumOf(segments.flatMap((one) => one.ranges));
  const totals = {
    stored: outside.stored + inside.stored,
    refused: outside.refused + inside.refused,
    gap: outside.gap + inside.gap,
  };
  const queued = { records: 0, bytes: 0, samples: 0 };
  for (const one of segments) {
    queued.records += one.queued.records;
    queued.bytes += one.queued.bytes;
    queued.samples += one.queued.samples;
  }
  let produced = totals.stored + totals.refused + totals.gap + queued.samples;
  let dropped = 0;
  let deferred: Deferred[] = [];

  const went = (what: Settling): void => {
    totals.stored += what.stored;
    totals.refused += what.refused;
    totals.gap += what.gap;
    queued.records -= what.records;
    queued.bytes -= what.bytes;
    queued.samples -= what.samples;
  };

  /** These records are gone. Where they may stand too, because writing them failed there, they shall not count when they are found. */
  const noteLeftovers = (epoch: number, from: number, to: number, except?: Segment): void => {
    for (const one of segments)
      if (one !== except && one.epoch === epoch && one.end.seq < from && from <= one.failedTo)
        addRange(one, { from, to: Math.min(to, one.failedTo), stored: 0, refused: 0, gap: 0 });
  };

  const addGap = (
    segment: { readonly epoch: number },
    reason: KeptGap['reason'],
    of: { from: number; to: number; records: number; samples: number; bytes: number; fromMs: number; toMs: number },
  ): void => {
    dropped += of.records;
    gaps.add({
      ...{ epoch: segment.epoch, firstSeq: of.from, lastSeq: of.to, batches: of.records, samples: of.samples },
      ...{ bytes: of.bytes, fromMs: of.fromMs, toMs: of.toMs, reason, foundIn: options.epoch },
    });
  };

  const settleOutside = ({ stored, refused, gap }: SettledSums, { segment, seq }: Place = nowhere): void => {
    const isNoted =
      segment !== undefined &&
      segments.includes(segment) &&
      addRange(segment, { from: seq, to: seq, stored, refused, gap }, mayAddRange());
    if (segment) noteLeftovers(segment.epoch, seq, seq, segment);
    if (!isNoted) {
      outside.stored += stored;
      outside.refused += refused;
      outside.gap += gap;
    }
    totals.stored += stored;
    totals.refused += refused;
    totals.gap += gap;
  };

  const mayAddRange = (): boolean => segments.reduce((sum, one) => sum + one.ranges.length, 0) < maxRanges;

  const ackOne = (
    segment: Segment,
    range: SeqRange,
    refused: readonly RefusedOf[],
    index: SegmentIndex | undefined,
  ): number => {
    const { firstSeq, end } = segment;
    if (range[0] <= firstSeq && range[1] >= end.seq && refused.length === 0) {
      const what = settleWhole(segment, 'stored');
      went(what);
      return what.records;
    }
    if (!index) {
      if (deferred.length < maxDeferred) deferred.push({ ordinal: segment.ordinal, range, refused });
      return 0;
    }
    const what = settle(segment, index, range, refused, mayAddRange());
    if (!what) return 0;
    went(what);
    return what.records;
  };

  return {
    segments,
    outside,
    get dropped() {
      return dropped;
    },
    account: () => ({ produced, ...totals, queued: queued.samples }),
    queued: () => queued,
    fileBytes: () => segments.reduce((sum, one) => sum + one.fileBytes, 0),
    count: (records, bytes, samples) => {
      queued.records += records;
      queued.bytes += bytes;
      queued.samples += samples;
    },
    produce: (samples) => {
      produced += samples;
    },
    settleOutside,
    loseOutside: ({ epoch, seq, timeMs, samples, bytes }, reason, segment) => {
      settleOutside({ stored: 0, refused: 0, gap: samples }, { segment, seq });
      const [records, size] = [1, bytes.length];
      addGap({ epoch }, reason, { from: seq, to: seq, records, samples, bytes: size, fromMs: timeMs, toMs: timeMs });
    },
    durable: () => segments.reduce((sum, one) => sum + one.queued.samples + all(sumOf(one.ranges)), all(outside)),
    ack: (epoch, ranges, refused, index) => {
      let count = 0;
      for (const asked of ranges) {
        const range = rules.whatAckLetsGo(asked);
        if (!(range[0] <= range[1])) continue;
        for (const segment of segments) {
          const { queued: left, firstSeq, end } = segment;
          if (segment.epoch !== epoch || left.records === 0 || range[1] < firstSeq || range[0] > end.seq) continue;
          const of = refused.filter(({ seq }) => seq >= firstSeq && seq <= end.seq);
          count += ackOne(segment, range, of, index(segment));
        }
      }
      return count;
    },
    deferred: () => {
      const ordinals = new Set(deferred.map(({ ordinal }) => ordinal));
      const wanted = segments.filter(({ ordinal }) => ordinals.has(ordinal));
      if (wanted.length === 0) deferred = [];
      return wanted;
    },
    takeDeferred: (segment, index) => {
      const mine = deferred.filter(({ ordinal }) => ordinal === segment.ordinal);
      deferred = deferred.filter(({ ordinal }) => ordinal !== segment.ordinal);
      for (const { range, refused } of mine) ackOne(segment, range, refused, index);
    },
    dropDeferred: ({ ordinal }) => {
      deferred = deferred.filter((one) => one.ordinal !== ordinal);
    },
    oldestMs: (indexOf) => {
      const segment = segments.find((one) => one.queued.records > 0);
      const index = segment && indexOf(segment);
      if (!segment || !index) return segment?.oldestMs;
      const [range] = segment.ranges;
      const isFromStart = range !== undefined && range.from <= (index.seqs[0] ?? 0);
      return index.timesMs[isFromStart ? firstFrom(index, range.to + 1) : 0] ?? segment.oldestMs;
    },
    giveUp: (segment, reason, index) => {
      if (segment.queued.records === 0) return;
      const { firstSeq, end, oldestMs, newestMs } = segment;
      const runs =
        index && segment.ranges.length > 0
          ? queuedRuns(segment, index, maxGapsOfOne)
          : [{ ...segment.queued, from: firstSeq, to: end.seq, fromMs: oldestMs, toMs: newestMs }];
      went(settleWhole(segment, 'gap'));
      for (const run of runs) if (run.records > 0) addGap(segment, reason, run);
    },
    foundLost: (segment, records) => {
      const before = { ...segment.queued };
      const { queued: now, lost } = reconcile(segment.ranges, records);
      let samples = before.samples - now.samples;
      let bytes = before.bytes - now.bytes;
      let count = before.records - now.records;
      if (count <= 0) return;
      const places =
        lost.length > 0
          ? lost
          : [
              {
                firstSeq: segment.firstSeq,
                lastSeq: segment.end.seq,
                records: 0,
                samples: 0,
                fromMs: segment.oldestMs,
                toMs: segment.newestMs,
              },
            ];
      places.forEach((one, i) => {
        const isLast = i === places.length - 1;
        const of = isLast
          ? { records: count, samples, bytes }
          : { records: Math.min(count, one.records), samples: Math.min(samples, one.samples), bytes: 0 };
        count -= of.records;
        samples -= of.samples;
        bytes -= of.bytes;
        addRange(segment, { from: one.firstSeq, to: one.lastSeq, stored: 0, refused: 0, gap: of.samples });
        went({ stored: 0, refused: 0, gap: of.samples, ...of });
        addGap(segment, 'damaged', { ...of, from: one.firstSeq, to: one.lastSeq, fromMs: one.fromMs, toMs: one.toMs });
      });
      Object.assign(segment.queued, now);
    },
    loseRecord: (segment, index, at, reason = 'damaged') => {
      const seq = index.seqs[at] ?? 0;
      const timeMs = index.timesMs[at] ?? 0;
      const what = settle(segment, index, [seq, seq], [], true);
      if (!what) return;
      const range = segment.ranges.find(({ from, to }) => from <= seq && seq <= to);
      if (range) {
        range.stored -= what.samples;
        range.gap += what.samples;
      }
      went({ ...what, stored: 0, gap: what.samples });
      addGap(segment, reason, { ...what, from: seq, to: seq, fromMs: timeMs, toMs: timeMs });
    },
    remove: (segment) => {
      noteLeftovers(segment.epoch, segment.firstSeq, segment.end.seq);
      const sums = sumOf(segment.ranges);
      outside.stored += sums.stored;
      outside.refused += sums.refused;
      outside.gap += sums.gap;
      segments.splice(segments.indexOf(segment), 1);
      deferred = deferred.filter(({ ordinal }) => ordinal !== segment.ordinal);
    },
    ranges: () =>
      segments.flatMap(({ ordinal, ranges }) =>
        ranges.map(({ from, to, stored, refused, gap }) => ({ ordinal, from, to, stored, refused, gap })),
      ),
  };
};
