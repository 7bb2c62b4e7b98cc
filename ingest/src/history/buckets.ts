/**
 * How wide the buckets of an answer are. Widths are ones that people know (2 s, 15 s, 1 min, 1 h), never so narrow that there are more
 * buckets than points asked for. Buckets begin at multiples of their width, so that the same moment falls into the same bucket
 * whenever it is asked about, and pictures do not flicker as time moves on.
 */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * The finest is twice the usual period: with one bucket per sample a sample some milliseconds late would leave a hole and, beside it, a
 * bucket of two.
 */
const widthsMs: readonly number[] = [
  ...[2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 400].map((n) => n * day),
];

export type Buckets = { readonly startMs: number; readonly bucketMs: number; readonly count: number };

/** The finest buckets that cover the range with at most so many points. */
export const chooseBuckets = (fromMs: number, toMs: number, points: number): Buckets => {
  for (const bucketMs of widthsMs) {
    const startMs = Math.floor(fromMs / bucketMs) * bucketMs;
    const count = Math.ceil((toMs - startMs) / bucketMs);
    if (count <= points) return { startMs, bucketMs, count };
  }
  // so few points that the range lies across the edge of even the widest bucket: begin where it was asked
  const bucketMs = widthsMs.find((width) => width * points >= toMs - fromMs) ?? Math.ceil((toMs - fromMs) / points);
  return { startMs: fromMs, bucketMs, count: Math.ceil((toMs - fromMs) / bucketMs) };
};
