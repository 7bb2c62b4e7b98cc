/**
 * The hosts this node serves or served last. A host that went away is remembered for a day, so that the page shows it as down rather than
 * not at all. Bounded: of too many the one gone longest goes.
 */
import type { RosterHost } from './roster-host.ts';

export const rememberMs = 24 * 3_600_000;

export type Known = { readonly roster: RosterHost };

export class KnownHosts<H extends Known> {
  readonly hosts = new Map<string, H>();
  #maxHosts: number;

  constructor(options: { readonly maxHosts: number }) {
    this.#maxHosts = options.maxHosts;
  }

  /** Adds a host; returns the one that had to go for it, if the bound is reached: the one gone longest. */
  add(hostId: string, host: H): string | undefined {
    this.hosts.set(hostId, host);
    if (this.hosts.size <= this.#maxHosts) return undefined;
    let oldest: string | undefined;
    let oldestMs = Infinity;
    for (const [id, one] of this.hosts) {
      const goneMs = one.roster.goneSinceMs;
      if (goneMs === undefined || goneMs >= oldestMs || id === hostId) continue;
      oldest = id;
      oldestMs = goneMs;
    }
    if (oldest !== undefined) this.hosts.delete(oldest);
    return oldest;
  }

  /** Removes and returns hosts gone for longer than a day. */
  expire(nowMs: number): string[] {
    const expired: string[] = [];
    for (const [hostId, { roster }] of this.hosts)
      if (roster.goneSinceMs !== undefined && nowMs - roster.goneSinceMs >= rememberMs) expired.push(hostId);
    for (const hostId of expired) this.hosts.delete(hostId);
    return expired;
  }
}
