/**
 * Counters become rates per second. Given are, per bucket, the greatest value and the time of the newest sample (which of a growing counter
 * are the same moment); the rate of a bucket is the growth since the bucket before, over the real time between the two.
 *
 * - Across a gap it is the average over the whole gap: never a spike of everything that happened meanwhile.
 * - Where a counter fell, its source began again. How much it counted before that nobody knows: no value, instead of an invented one.
 */
export const ratesOf = (values: readonly (number | null)[], lastMs: readonly (number | null)[]): (number | null)[] => {
  let before: { value: number; timeMs: number } | undefined;
  return values.map((value, k) => {
    const timeMs = lastMs[k] ?? null;
    if (value === null || timeMs === null) return null;
    const grown = before && value >= before.value ? value - before.value : undefined;
    const seconds = before ? (timeMs - before.timeMs) / 1000 : 0;
    before = { value, timeMs };
    return grown !== undefined && seconds > 0 ? grown / seconds : null;
  });
};
