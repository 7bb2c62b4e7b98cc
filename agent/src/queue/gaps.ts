/** The list of gaps a queue leaves behind: neighbors are merged, and the list itself is bounded by merging its oldest two of one epoch. */
import type { Gap, QueuedBatch } from './queue.ts';

const maxGaps = 1000;

const merge = (a: Gap, b: Gap): Gap => ({
  id: a.id,
  epoch: a.epoch,
  firstSeq: a.firstSeq,
  lastSeq: b.lastSeq,
  batches: a.batches + b.batches,
  samples: a.samples + b.samples,
  bytes: a.bytes + b.bytes,
  fromMs: Math.min(a.fromMs, b.fromMs),
  toMs: Math.max(a.toMs, b.toMs),
  reason: b.reason,
});

/** Adds a batch that was given up, in place. Batches are given up oldest first, so it belongs at the end. */
export const addToGaps = (
  gaps: Gap[],
  { epoch, seq, samples, bytes, timeMs }: QueuedBatch,
  givenOut: ReadonlySet<string>,
  reason: Gap['reason'] = 'full',
): void => {
  const gap: Gap = {
    id: `${epoch}.${seq}`,
    epoch,
    firstSeq: seq,
    lastSeq: seq,
    batches: 1,
    samples,
    bytes: bytes.length,
    fromMs: timeMs,
    toMs: timeMs,
    reason,
  };
  const last = gaps.at(-1);
  if (last?.epoch === epoch && last.reason === reason && !givenOut.has(last.id) && last.lastSeq + 1 === seq)
    gaps[gaps.length - 1] = merge(last, gap);
  else gaps.push(gap);
  if (gaps.length <= maxGaps) return;
  const at = gaps.findIndex((one, i) => one.epoch === gaps[i + 1]?.epoch);
  const [a, b] = [gaps[at], gaps[at + 1]];
  if (a && b) gaps.splice(at, 2, merge(a, b));
  else gaps.shift();
};
