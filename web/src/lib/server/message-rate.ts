/** How many messages a tab may send: a bucket that fills at `perSecond` up to `burst`. Pure. */
export const messageRate = {
  /** A person clicking through hosts and ranges sends a few a second; a page that has just opened asks for twenty charts at once. */
  perSecond: 20,
  burst: 60,
} as const;

export type Bucket = { readonly level: number; readonly atMs: number };

export const fullBucket = (nowMs: number): Bucket => ({ level: messageRate.burst, atMs: nowMs });

/** One message came: the bucket after it, or `undefined` when it was one too many. */
export const takeOne = (bucket: Bucket, nowMs: number): Bucket | undefined => {
  const filled = bucket.level + ((nowMs - bucket.atMs) / 1000) * messageRate.perSecond;
  const level = Math.min(messageRate.burst, filled) - 1;
  return level < 0 ? undefined : { level, atMs: nowMs };
};
