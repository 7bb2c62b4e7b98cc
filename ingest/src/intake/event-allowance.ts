/**
 * How many events a host may tell: a token bucket each, so that one that tells its story for ever cannot fill the store. What is beyond it is
 * answered as busy, like what the store has no room for: it stays with the agent and comes later, so no gap is ever untold. Pure.
 *
 * Bounded: the host that told nothing for longest is forgotten first, and has a full bucket again when it comes back.
 */
export type EventAllowanceLimits = {
  /** What a host has to tell after a long outage with a small queue goes at once; raising it lets one broken host take more of the disk. */
  readonly burst: number;
  readonly refillPerSecond: number;
  readonly maxHosts: number;
};

export const eventAllowanceDefaults: EventAllowanceLimits = { burst: 5_000, refillPerSecond: 1, maxHosts: 20_000 };

/** An agent that is told to come later sends nothing else of its backlog meanwhile. */
const leastWaitMs = 1_000;
const longestWaitMs = 10_000;

type Bucket = { tokens: number; atMs: number };

export class EventAllowance {
  #limits: EventAllowanceLimits;
  #buckets = new Map<string, Bucket>();

  constructor(limits = eventAllowanceDefaults) {
    this.#limits = limits;
  }

  get hosts(): number {
    return this.#buckets.size;
  }

  /** When so many events of this host may come; `undefined`: now. More at once than a bucket holds go when it is full. */
  waitMs(hostId: string, events: number, nowMs: number): number | undefined {
    const missing = Math.min(events, this.#limits.burst) - this.#tokens(hostId, nowMs);
    if (missing <= 0) return undefined;
    return Math.min(longestWaitMs, Math.max(leastWaitMs, (missing * 1_000) / this.#limits.refillPerSecond));
  }

  /** They were taken. */
  took(hostId: string, events: number, nowMs: number): void {
    const tokens = Math.max(0, this.#tokens(hostId, nowMs) - events);
    this.#buckets.delete(hostId);
    this.#buckets.set(hostId, { tokens, atMs: nowMs });
    if (this.#buckets.size <= this.#limits.maxHosts) return;
    for (const oldest of this.#buckets.keys()) if (this.#buckets.delete(oldest)) break;
  }

  #tokens(hostId: string, nowMs: number): number {
    const { burst, refillPerSecond } = this.#limits;
    const bucket = this.#buckets.get(hostId);
    return bucket ? Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * refillPerSecond) / 1_000) : burst;
  }
}
