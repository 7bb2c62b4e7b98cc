/** Buckets of one series as they come from a store, in any order and with holes, laid out as full rows: one entry per bucket. */
import type { StoreQuestion, StoreSeries } from './store.ts';

export type Grid = {
  set(bucket: number, lastMs: number, values: readonly (number | null)[]): void;
  readonly series: StoreSeries;
};

export const bucketCount = (question: Pick<StoreQuestion, 'fromMs' | 'toMs' | 'bucketMs'>): number =>
  Math.ceil((question.toMs - question.fromMs) / question.bucketMs);

export const seriesGrid = (fields: readonly string[], metrics: number, buckets: number): Grid => {
  const values = Array.from({ length: metrics }, () => new Array<number | null>(buckets).fill(null));
  const times = new Array<number | null>(buckets).fill(null);
  return {
    set: (bucket, lastMs, row) => {
      if (bucket < 0 || bucket >= buckets) return;
      times[bucket] = lastMs;
      for (let k = 0; k < metrics; k += 1) {
        const list = values[k];
        if (list) list[bucket] = row[k] ?? null;
      }
    },
    series: { fields, values, lastMs: times },
  };
};
