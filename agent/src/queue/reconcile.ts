/**
 * What can be read of a segment against what is known to be settled of it: how much is queued, and what is lost that nobody acknowledged. Pure.
 * A lost record that was settled before is no gap; where a damaged stretch holds both, the settled samples are taken off what is missing.
 */
import { recordBytes } from './record.ts';
import type { SegmentRecords } from './recover-segment.ts';
import { isSettled, sumOf, type Queued, type Range } from './segment.ts';

export type Lost = {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly records: number;
  readonly samples: number;
  readonly fromMs: number;
  readonly toMs: number;
};

export type Reconciled = { readonly queued: Queued; readonly lost: readonly Lost[] };

const numbersSettled = (ranges: readonly Range[], first: number, last: number): number =>
  ranges.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, last) - Math.max(from, first) + 1), 0);

export const reconcile = (ranges: readonly Range[], found: Pick<SegmentRecords, 'index' | 'damage'>): Reconciled => {
  const { index, damage } = found;
  const queued = { records: 0, bytes: 0, samples: 0 };
  const settled = sumOf(ranges);
  /** Samples that are settled and whose records cannot be read. */
  let settledAndLost = settled.stored + settled.refused + settled.gap;
  for (let at = 0; at < index.count; at += 1) {
    const samples = index.samples[at] ?? 0;
    if (ranges.length > 0 && isSettled({ ranges }, index.seqs[at] ?? 0)) {
      settledAndLost -= samples;
      continue;
    }
    queued.records += 1;
    queued.bytes += recordBytes(index.payloadBytes[at] ?? 0);
    queued.samples += samples;
  }
  const lost: Lost[] = [];
  for (const { firstSeq, lastSeq, records, samples, fromMs, toMs } of damage) {
    if (records === 0) continue;
    const numbers = numbersSettled(ranges, firstSeq, lastSeq);
    if (numbers >= lastSeq - firstSeq + 1) continue;
    const known = numbers > 0 ? Math.min(samples, Math.max(0, settledAndLost)) : 0;
    settledAndLost -= known;
    const left = Math.max(1, records - numbers);
    lost.push({ firstSeq, lastSeq, records: left, samples: samples - known, fromMs, toMs });
  }
  return { queued, lost };
};
