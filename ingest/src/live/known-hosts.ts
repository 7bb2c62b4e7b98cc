/**
 * The hosts this node serves or served, and which of them another node serves now. A host that went away is remembered for a day, so
 * that the page shows it as down rather than not at all; one that another node took over is that node's to speak of.
 *
 * Claims order the hellos of a host over all nodes: each is larger than every claim for that host seen before, from whichever node, so
 * that clocks of nodes that differ do not matter.
 */
import type { RosterHost } from './roster-host.ts';

export const rememberMs = 24 * 3_600_000;

export type Known = { readonly roster: RosterHost };

export class KnownHosts<H extends Known> {
  readonly hosts = new Map<string, H>();
  /** Newest claim of each host by another node. */
  #elsewhere = new Map<string, number>();
  #maxHosts: number;

  constructor(options: { readonly maxHosts: number }) {
    this.#maxHosts = options.maxHosts;
  }

  /** The claim of a hello that was taken now. */
  nextClaim(hostId: string, wallMs: number): number {
    const before = Math.max(this.#elsewhere.get(hostId) ?? -1, this.hosts.get(hostId)?.roster.claim ?? -1);
    return Math.max(Math.floor(wallMs), before + 1);
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

  /**
   * Another node says that it serves a host. `forget`: ours is an old tale. `superseded`: we hold a connection that is older.
   * Bounded like the hosts themselves; of claims the oldest goes.
   */
  claimedElsewhere(hostId: string, claim: number): 'forget' | 'superseded' | 'nothing' {
    this.#elsewhere.delete(hostId);
    this.#elsewhere.set(hostId, claim);
    if (this.#elsewhere.size > this.#maxHosts * 4) {
      const first = this.#elsewhere.keys().next().value;
      if (first !== undefined) this.#elsewhere.delete(first);
    }
    const host = this.hosts.get(hostId);
    if (!host || claim <= host.roster.claim) return 'nothing';
    if (host.roster.held) return 'superseded';
    this.hosts.delete(hostId);
    return 'forget';
  }

  /** True when another node took a hello of this host after us. */
  isElsewhere(hostId: string): boolean {
    return (this.#elsewhere.get(hostId) ?? -1) > (this.hosts.get(hostId)?.roster.claim ?? -1);
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
