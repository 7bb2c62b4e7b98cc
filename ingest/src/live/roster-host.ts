/**
 * What is known of one host besides its values: who it is, how its connection is doing, and which hello was the last. Pure: time is
 * passed in, and the only effect is the entry that is to be published.
 *
 * Every hello begins a *turn*; what the connection of an earlier turn still has to say is ignored.
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
  /** Counts the hellos taken here. */
  turn = 0;
  #order = { epoch: 0, attempt: 0 };
  #hello: HostHello;
  #facts: ConnectionFacts = { heardMs: -Infinity, lostMs: undefined, left: false };
  #published: Connection | undefined;
  #sinceMs = 0;
  #degraded = '';
  #held = false;
  #said: RosterEntry | undefined;

  constructor(node: string, hello: HostHello) {
    this.node = node;
    this.#hello = hello;
  }

  /** A connection of this host stands, as far as this node knows. */
  get held(): boolean {
    return this.#held;
  }

  /** The entry that was due last. */
  get said(): RosterEntry | undefined {
    return this.#said;
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

  /** Returns the turn that begins. */
  greet(hello: HostHello, nowMs: number): number {
    this.#hello = hello;
    this.#order = { epoch: hello.epoch, attempt: hello.attempt };
    this.turn += 1;
    this.#facts = { heardMs: nowMs, lostMs: undefined, left: false };
    this.#published = undefined;
    this.#held = true;
    return this.turn;
  }

  /** Our connection counts as later than this one, which is over. */
  overtake({ epoch, attempt }: { readonly epoch: number; readonly attempt: number }): void {
    this.#order = { epoch, attempt: attempt + 1 };
    this.#published = undefined;
  }

  /** True when the host was not known to be well, so that its entry is due now rather than at the next look. */
  heard(turn: number, nowMs: number): boolean {
    if (turn !== this.turn || !this.#held) return false;
    this.#facts = { heardMs: nowMs, lostMs: undefined, left: false };
    return this.#published !== 'connected';
  }

  /** `unheard`: this node gave the connection up because nothing came any more; the host is still called silent, then down. */
  lost(turn: number, nowMs: number, unheard: boolean): void {
    if (turn !== this.turn || !this.#held) return;
    this.#held = false;
    if (!unheard) this.#facts = { ...this.#facts, lostMs: nowMs };
  }

  left(turn: number, nowMs: number): void {
    if (turn !== this.turn || !this.#held) return;
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
    this.#said = { ...who, ...this.#order, connection, sinceMs: this.#sinceMs, node: this.node, degraded };
    return this.#said;
  }
}
