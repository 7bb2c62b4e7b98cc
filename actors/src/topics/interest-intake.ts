/**
 * What peers say of their interest, taken in version by version. A peer that says more than is allowed is told so, and is not heard on this for
 * a second; then its whole set is asked for, so that a node that was only hasty is whole again. It costs others nothing.
 */
import type { Clock, Timer } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { NodeInfo } from '../link/links.ts';
import type { Interests } from './interests.ts';
import { interestBounds } from './rules.ts';
import type { Bucket, TopicRules } from './rules.ts';
import { againMessage, refusedMessage } from './topic-messages.ts';
import type { InterestChange } from './topic-messages.ts';

const pauseMs = 1000;
const logEveryMs = 60_000;

type Peer = { version: number; bucket: Bucket; pause: Timer | undefined; toldMs: number; loggedMs: number };

export type InterestIntakeParts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly rules: TopicRules;
  readonly interests: Interests;
  tell(nodeId: string, message: unknown): void;
  /** The peer wants it from now on, or said so again. */
  added(nodeId: string, topic: string, wasInterested: boolean): void;
  removed(nodeId: string, topic: string): void;
};

export class InterestIntake {
  readonly #parts: InterestIntakeParts;
  readonly #peers = new Map<string, Peer>();
  readonly #counts = { interestGaps: 0, interestFloods: 0 };

  constructor(parts: InterestIntakeParts) {
    this.#parts = parts;
  }

  counters(): Record<string, number> {
    return { ...this.#counts };
  }

  up(nodeId: string): void {
    this.down(nodeId);
    const nowMs = this.#parts.clock.monotonicMs();
    const bucket = { level: interestBounds.messagesBurst, atMs: nowMs };
    this.#peers.set(nodeId, { version: 0, bucket, pause: undefined, toldMs: -Infinity, loggedMs: -Infinity });
  }

  down(nodeId: string): void {
    this.#peers.get(nodeId)?.pause?.cancel();
    this.#peers.delete(nodeId);
  }

  take(from: NodeInfo, change: InterestChange): void {
    const peer = this.#peers.get(from.id);
    if (!peer) return;
    const { rules, clock } = this.#parts;
    const bucket = rules.takesMessage(peer.bucket, clock.monotonicMs());
    if (!bucket || peer.pause) {
      this.#counts.interestFloods += 1;
      if (!peer.pause) this.#pause(from, peer);
      return;
    }
    peer.bucket = bucket;
    const verdict = rules.interest(peer.version, change);
    if (verdict === 'ignore') return;
    if (verdict === 'ask') {
      this.#counts.interestGaps += 1;
      this.#parts.tell(from.id, againMessage());
      return;
    }
    peer.version = change.version;
    this.#apply(from, peer, change, verdict === 'anew');
  }

  close(): void {
    for (const nodeId of [...this.#peers.keys()]) this.down(nodeId);
  }

  #apply(from: NodeInfo, peer: Peer, { add, remove }: InterestChange, anew: boolean): void {
    const { interests } = this.#parts;
    const named = new Set(anew ? add : []);
    const gone = anew ? [...interests.topicsOf(from.id)].filter((topic) => !named.has(topic)) : remove;
    for (const topic of gone) if (interests.remove(topic, from.id)) this.#parts.removed(from.id, topic);
    let refused = 0;
    for (const topic of add) {
      const isNew = interests.add(topic, from.id);
      if (interests.topicsOf(from.id).has(topic)) this.#parts.added(from.id, topic, !isNew);
      else refused += 1;
    }
    if (refused > 0)
      this.#refuse(from, peer, `interest in ${refused} topics beyond ${interestBounds.maxTopicsPerPeer} is not taken`);
  }

  #pause(from: NodeInfo, peer: Peer): void {
    this.#refuse(
      from,
      peer,
      `interest changes too fast: more than ${interestBounds.messagesPerSecond} messages a second`,
    );
    peer.pause = this.#parts.clock.after(pauseMs, () => {
      peer.pause = undefined;
      this.#parts.tell(from.id, againMessage());
    });
  }

  #refuse(from: NodeInfo, peer: Peer, why: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - peer.toldMs >= pauseMs) {
      peer.toldMs = nowMs;
      this.#parts.tell(from.id, refusedMessage(why));
    }
    if (nowMs - peer.loggedMs < logEveryMs) return;
    peer.loggedMs = nowMs;
    this.#parts.log.warn({ peer: from.name, why }, 'interest of a peer is refused');
  }
}
