/**
 * A sample that will never be stored, with the reason: kept where a person can look it up, before the batch counts as written. It is named
 * after its place in what the agent sent (host, epoch, sequence, index in the batch), so that one that comes again is kept once.
 */
import type { Reason } from './admissible.ts';
import type { Origin, WriteRequest } from './store.ts';

export type DeadLetter = {
  readonly origin: Origin;
  /** Place of the sample in its batch. */
  readonly i: number;
  readonly reason: Reason;
  readonly target: string;
  readonly fields: readonly string[];
  readonly timeMs: number;
  /** As they were measured, by metric. */
  readonly values: Readonly<Record<string, number>>;
};

/** Details are for people; a longer one would be another way to fill a disk. */
const maxDetailChars = 300;

export const cutDetail = (detail: string): string => detail.slice(0, maxDetailChars);

/** The dead letter of sample `i`. */
export const letterOf = ({ origin, batch }: WriteRequest, i: number, reason: Reason): DeadLetter => {
  const series = batch.shape.series[i];
  if (!series) throw new Error('BUG: a batch has fewer series than samples');
  const first = batch.shape.offsets[i] ?? 0;
  const values: Record<string, number> = {};
  series.target.metrics.forEach((metric, k) => {
    const value = batch.values[first + k] ?? Number.NaN;
    if (Number.isFinite(value)) values[metric.name] = value;
  });
  const { name: target } = series.target;
  return { origin, i, reason, target, fields: series.fields, timeMs: batch.timesMs[i] ?? 0, values };
};
