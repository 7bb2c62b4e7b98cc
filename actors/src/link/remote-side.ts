/** What this node does with references to actors of other nodes: tells, asks, stops and watches them. Every outcome is a value. */
import type { AskOutcome, StopReason, TellOutcome } from '../system/actor-system.ts';
import type { Clock } from '../system/clock.ts';
import { asReply } from '../system/reply.ts';
import type { ActorPort } from './actor-traffic.ts';
import type { TrafficCounts } from './actor-traffic-counts.ts';
import type { AskOutcome as LinkAskOutcome } from './asks.ts';
import type { ActorMessage } from './messages.ts';
import { NoRoom } from './references.ts';
import type { RemoteRef, RemoteSide as Side } from './remote-ref.ts';
import type { Life } from './rules.ts';
import { Watches } from './watches.ts';
import type { Down } from './watches.ts';

const lost = { ok: false, reason: 'lost' } as const;
const full = { ok: false, reason: 'full' } as const;

const actorReasons = ['deadline', 'full', 'stopped', 'failed', 'lost'] as const;
type ActorReason = (typeof actorReasons)[number];
const reasonOf = (outcome: LinkAskOutcome & { ok: false }): ActorReason => {
  if (outcome.reason === 'no-link') return 'lost';
  if (outcome.reason !== 'failed') return outcome.reason;
  return actorReasons.find((one) => one === outcome.code) ?? 'failed';
};

export class RemoteActors implements Side {
  readonly watches: Watches;
  readonly #port: ActorPort;
  readonly #clock: Clock;
  readonly #counts: TrafficCounts;
  readonly #call: (down: Down, reason: StopReason) => void;
  /** The reply of the question that is being packed. */
  #asking: object | undefined;

  constructor(options: {
    port: ActorPort;
    clock: Clock;
    counts: TrafficCounts;
    call: (down: Down, reason: StopReason) => void;
  }) {
    this.#port = options.port;
    this.#clock = options.clock;
    this.#counts = options.counts;
    this.#call = options.call;
    this.watches = new Watches(options.port.rules);
  }

  isAsking(reply: object): boolean {
    return this.#asking === reply;
  }

  tell(ref: RemoteRef<never>, message: unknown): TellOutcome {
    if (this.#reaches(ref.life)) return this.#send(ref.life, { kind: 'send', actor: ref.id, body: message });
    this.#counts.lost += 1;
    return lost;
  }

  ask<R>(
    ref: RemoteRef<never>,
    make: (reply: (value: R) => void) => unknown,
    deadlineMs: number,
  ): Promise<AskOutcome<R>> {
    if (!this.#reaches(ref.life)) {
      this.#counts.lost += 1;
      return Promise.resolve(lost);
    }
    return new Promise((resolve) => {
      const id = this.#port.asks.open(ref.life, deadlineMs, (outcome) =>
        resolve(outcome.ok ? { ok: true, value: outcome.value as R } : { ok: false, reason: reasonOf(outcome) }),
      );
      if (id === undefined) {
        resolve(full);
        return;
      }
      const settle = (value: R): void => void this.#port.asks.settle(ref.life, id, { ok: true, value });
      const reply = asReply(settle, this.#clock.monotonicMs() + deadlineMs);
      try {
        const body = make(reply);
        this.#asking = reply;
        const waitMs = Math.max(1, Math.round(deadlineMs));
        const sent = this.#send(ref.life, { kind: 'question', actor: ref.id, id, deadlineMs: waitMs, body });
        if (sent.ok) return;
        this.#port.asks.withdraw(id);
        resolve(sent);
      } catch (error) {
        this.#port.asks.withdraw(id);
        throw error;
      } finally {
        this.#asking = undefined;
      }
    });
  }

  stop(ref: RemoteRef<never>): void {
    if (this.#reaches(ref.life)) this.#send(ref.life, { kind: 'stop', actor: ref.id });
  }

  stopped(ref: RemoteRef<never>): Promise<StopReason> {
    return new Promise((resolve) => void this.watch(ref, resolve));
  }

  watch(ref: RemoteRef<never>, down: Down): () => void {
    const { life, id } = ref;
    let over = false;
    const own: Down = (reason) => {
      if (!over) down(reason);
    };
    const lostSoon = (detail: string): void =>
      queueMicrotask(() => {
        if (!over) this.#call(down, { kind: 'lost', detail });
      });
    if (!this.#reaches(life)) lostSoon(`node ${life.id} is not linked, or has started anew`);
    else {
      const first = this.watches.add(life, id, own);
      if (first === undefined) {
        this.#counts.refused += 1;
        lostSoon('this node watches too many actors');
      } else if (first && !this.#send(life, { kind: 'watch', actor: id }).ok) {
        this.watches.remove(life, id, own);
        lostSoon(`node ${life.id} cannot be told`);
      }
    }
    return () => {
      over = true;
      if (this.watches.remove(life, id, own) && this.#reaches(life)) this.#send(life, { kind: 'unwatch', actor: id });
    };
  }

  /** The actor of a peer is down. */
  down(from: Life, id: number, reason: StopReason): void {
    for (const down of this.watches.down(from, id)) this.#call(down, reason);
  }

  /** The link to a peer is. */
  lost(peer: Life, detail: string): void {
    for (const down of this.watches.lost(peer)) this.#call(down, { kind: 'lost', detail });
  }

  #reaches(life: Life): boolean {
    return this.#port.rules.reaches(life, this.#port.linked(life.id));
  }

  #send(life: Life, message: ActorMessage): { ok: true } | typeof full | typeof lost {
    try {
      const sent = this.#port.send(life.id, message);
      if (sent.ok) return sent;
      return sent.reason === 'full' ? full : lost;
    } catch (error) {
      if (error instanceof NoRoom) return full;
      throw error;
    }
  }
}
