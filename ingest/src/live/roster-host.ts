/**
 * What is known of one host besides its values: who it is, how its connection is doing, and which hello was the last. Pure: time is
 * passed in, and the only effect is the entry that is to be published.
 *
 * Every hello makes a *claim*, larger than any seen before; what an older connection of the same host still has to say is ignored.
 */
import type { Machine } from '@thrum/actors/wire/agent-to-ingest';
import type { Connection, RosterEntry } from '@thrum/actors/wire/roster';
import { connectionState, type ConnectionFacts } from './connection-state.ts';

export type HostHello = {
  readonly hostId: string;
  readonly boot: string;
  readonly epoch: number;
  readonly attempt: number;
  readonly dictionary: string;
  readonly machine: Machine;
  readonly cluster: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly agentVersion: string;
  readonly periodMs: number;
  /** Ingest's clock less the agent's. */
  readonly clockOffsetMs: number;
};

/** What is seen of a host besides its connection. */
export type Seen = {
  readonly degraded: readonly string[];
  /** Ingest's clock less the agent's, as well as it is known by now. */
  readonly clockOffsetMs: number;
};

export class RosterHost {
  readonly node: string;
  claim = -1;
  #hello: HostHello;
  #facts: ConnectionFacts = { heardMs: -Infinity, lostMs: undefined, left: false };
  #published: Connection | undefined;
  #sinceMs = 0;
  #degraded = '';
  #held = false;

  constructor(node: string, hello: HostHello) {
    this.node = node;
    this.#hello = hello;
  }

  /** A connection of this host stands, as far as this node knows. */
  get held(): boolean {
    return this.#held;
  }

  /** It was published as up and not healthy. */
  get degraded(): boolean {
    return this.#degraded !== '';
  }

  get heardMs(): number {
    return this.#facts.heardMs;
  }

  /** When the host went away; `undefined` while it is here. */
  get goneSinceMs(): number | undefined {
    return this.#held ? undefined : (this.#facts.lostMs ?? this.#facts.heardMs);
  }

  greet(hello: HostHello, claim: number, nowMs: number): void {
    this.#hello = hello;
    this.claim = claim;
    this.#facts = { heardMs: nowMs, lostMs: undefined, left: false };
    this.#published = undefined;
    this.#held = true;
  }

  /** True when the host was not known to be well, so that its entry is due now rather than at the next look. */
  heard(claim: number, nowMs: number): boolean {
    if (claim !== this.claim || !this.#held) return false;
    this.#facts = { heardMs: nowMs, lostMs: undefined, left: false };
    return this.#published !== 'connected';
  }

  /** `unheard`: this node gave the connection up because nothing came any more; the host is still called silent, then down. */
  lost(claim: number, nowMs: number, unheard: boolean): void {
    if (claim !== this.claim || !this.#held) return;
    this.#held = false;
    if (!unheard) this.#facts = { ...this.#facts, lostMs: nowMs };
  }

  left(claim: number, nowMs: number): void {
    if (claim !== this.claim || !this.#held) return;
    this.#held = false;
    this.#facts = { heardMs: nowMs, lostMs: nowMs, left: true };
  }

  /** The entry to publish, when the state or what is degraded is another than the one published last. */
  due(nowMs: number, wallMs: number, seen: Seen): RosterEntry | undefined {
    const connection = connectionState(this.#facts, nowMs);
    const degraded = connection === 'connected' ? seen.degraded : [];
    const reasons = degraded.join('\n');
    if (connection === this.#published && reasons === this.#degraded) return undefined;
    if (connection !== this.#published) this.#sinceMs = wallMs;
    this.#published = connection;
    this.#degraded = reasons;
    const { hostId, machine, cluster, labels, agentVersion, periodMs } = this.#hello;
    const clockOffsetMs = Math.round(seen.clockOffsetMs);
    const who = { hostId, machine, cluster, labels, agentVersion, periodMs, clockOffsetMs };
    const order = { epoch: this.#hello.epoch, attempt: this.#hello.attempt, claim: this.claim };
    return { ...who, ...order, connection, sinceMs: this.#sinceMs, node: this.node, degraded };
  }
}
