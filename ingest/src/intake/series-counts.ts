/**
 * The series of every host over all its connections: a host that connects again has no more room than one that stayed. A host that is
 * gone for as long as its series are remembered is forgotten. Those away are bounded in hosts and in series; beyond that the one gone
 * longest is forgotten early, and counted.
 */
import { forgetSeriesAfterMs, SeriesCount } from './series-count.ts';

export type SeriesCountsLimits = {
  readonly maxSeriesPerHost: number;
  readonly maxHostsAway: number;
  /** About 120 bytes each; a fleet of 5,000 ordinary hosts that lost its node has 300,000. */
  readonly maxSeriesAway: number;
};

export const seriesCountsDefaults = { maxHostsAway: 20_000, maxSeriesAway: 500_000 };

type Held = { readonly count: SeriesCount; connections: number; awaySinceMs: number };

export class SeriesCounts {
  /** Hosts forgotten before their time. */
  forgottenEarly = 0;
  #limits: SeriesCountsLimits;
  #here = new Map<string, Held>();
  /** In the order in which they went. */
  #away = new Map<string, Held>();
  #seriesAway = 0;

  constructor(limits: SeriesCountsLimits) {
    this.#limits = limits;
  }

  /** For one connection of the host, which says `release` once, at its end. */
  hold(hostId: string, nowMs: number): SeriesCount {
    this.#expire(nowMs);
    let held = this.#here.get(hostId) ?? this.#back(hostId);
    held ??= { count: new SeriesCount(this.#limits.maxSeriesPerHost), connections: 0, awaySinceMs: 0 };
    this.#here.set(hostId, held);
    held.connections += 1;
    return held.count;
  }

  release(hostId: string, nowMs: number): void {
    const held = this.#here.get(hostId);
    if (!held) return;
    held.connections -= 1;
    if (held.connections > 0) return;
    this.#here.delete(hostId);
    held.count.pause(nowMs);
    held.awaySinceMs = nowMs;
    this.#away.set(hostId, held);
    this.#seriesAway += held.count.size;
    this.#expire(nowMs);
  }

  get hosts(): number {
    return this.#here.size + this.#away.size;
  }

  #back(hostId: string): Held | undefined {
    const held = this.#away.get(hostId);
    if (!held) return undefined;
    this.#away.delete(hostId);
    this.#seriesAway -= held.count.size;
    return held;
  }

  #expire(nowMs: number): void {
    for (const [hostId, { awaySinceMs }] of this.#away) {
      const isOver = nowMs - awaySinceMs >= forgetSeriesAfterMs;
      const isFull = this.#away.size > this.#limits.maxHostsAway || this.#seriesAway > this.#limits.maxSeriesAway;
      if (!isOver && !isFull) return;
      if (!isOver) this.forgottenEarly += 1;
      this.#back(hostId);
    }
  }
}
