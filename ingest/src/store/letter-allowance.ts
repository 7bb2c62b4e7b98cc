/**
 * How many dead letters a host may leave: a token bucket each, so that a host whose samples are all refused (a wrong clock, a target nobody
 * knows) cannot fill the store. What is beyond it is counted, and said once per host and minute.
 *
 * Bounded: the host that left none for longest is forgotten first, and has a full bucket again when it comes back.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Origin } from './store.ts';

/** A whole queue of refused batches has room here; raising it lets one broken host take more of the disk before it is cut off. */
const burst = 20_000;
const refillPerSecond = 50;
const maxHosts = 10_000;
const sayEveryMs = 60_000;

type Bucket = { tokens: number; atMs: number; leftOut: number; saidMs: number };

export type LetterAllowance = {
  /** False: this one is not kept. */
  take(origin: Origin): boolean;
  readonly counters: { leftOut: number };
};

export const createLetterAllowance = (clock: Clock, log: Log): LetterAllowance => {
  const buckets = new Map<string, Bucket>();
  const counters = { leftOut: 0 };

  const bucketOf = (hostId: string, nowMs: number): Bucket => {
    const found = buckets.get(hostId);
    if (found) buckets.delete(hostId);
    else if (buckets.size >= maxHosts) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break;
    const bucket = found ?? { tokens: burst, atMs: nowMs, leftOut: 0, saidMs: Number.NEGATIVE_INFINITY };
    buckets.set(hostId, bucket);
    return bucket;
  };

  return {
    counters,
    take: ({ hostId, hostName }) => {
      const nowMs = clock.monotonicMs();
      const bucket = bucketOf(hostId, nowMs);
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * refillPerSecond) / 1000);
      bucket.atMs = nowMs;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return true;
      }
      counters.leftOut += 1;
      bucket.leftOut += 1;
      if (nowMs - bucket.saidMs >= sayEveryMs) {
        log.warn(
          { host: hostId, hostName, samples: bucket.leftOut },
          'A host has more samples refused than dead letters are kept of it; these are only counted',
        );
        bucket.saidMs = nowMs;
        bucket.leftOut = 0;
      }
      return false;
    },
  };
};
