/**
 * What other nodes keep of the topics this node is interested in, so that a further local subscriber is served at once. When a publisher sends
 * its whole state again (a link that came back), keys it does not name any more are forgotten; a publisher that started anew begins with
 * nothing instead: its subscribers still know what its former self said, and what to make of it is theirs.
 */
import { Retained, retainedBounds } from './retained.ts';
import type { RetainedBounds } from './retained.ts';
import type { TopicRules } from './rules.ts';

type Held = { readonly values: Retained; unnamed: Set<string> | undefined };
type Publisher = { incarnation: number; up: boolean; readonly topics: Map<string, Held> };

/** Publishers that are away and may come back: what they said is kept only to know what they forgot. */
const maxAway = 64;

export class RemoteRetained {
  readonly #bounds: RetainedBounds;
  readonly #rules: Pick<TopicRules, 'isForgotten' | 'isSamePublisher'>;
  readonly #publishers = new Map<string, Publisher>();
  #refused = 0;

  constructor(rules: Pick<TopicRules, 'isForgotten' | 'isSamePublisher'>, bounds: RetainedBounds = retainedBounds) {
    this.#rules = rules;
    this.#bounds = bounds;
  }

  /** Values that did not fit. */
  get refused(): number {
    return this.#refused;
  }

  up(nodeId: string, incarnation: number): void {
    const known = this.#publishers.get(nodeId);
    if (known && this.#rules.isSamePublisher(known.incarnation, incarnation)) known.up = true;
    else this.#publishers.set(nodeId, { incarnation, up: true, topics: new Map() });
  }

  down(nodeId: string): void {
    const known = this.#publishers.get(nodeId);
    if (!known) return;
    known.up = false;
    const away = [...this.#publishers].filter(([, publisher]) => !publisher.up);
    for (const [id] of away.slice(0, Math.max(0, away.length - maxAway))) this.#publishers.delete(id);
  }

  /** One publication: kept, or forgotten when it is empty. */
  news(nodeId: string, topic: string, key: string, payload: Uint8Array): void {
    const held = this.#held(nodeId, topic);
    if (!held) return;
    held.unnamed?.delete(key);
    if (payload.byteLength === 0) held.values.delete(key);
    else if (!held.values.set(key, payload)) this.#refused += 1;
  }

  beginAll(nodeId: string, topic: string): void {
    const held = this.#held(nodeId, topic);
    if (held) held.unnamed = new Set([...held.values.entries()].map(([key]) => key));
  }

  /** The keys the publisher did not name since `beginAll`: it has forgotten them meanwhile. */
  endAll(nodeId: string, topic: string): string[] {
    const held = this.#held(nodeId, topic);
    if (!held) return [];
    const { unnamed } = held;
    const forgotten = [...held.values.entries()]
      .map(([key]) => key)
      .filter((key) => unnamed !== undefined && this.#rules.isForgotten(!unnamed.has(key)));
    held.unnamed = undefined;
    for (const key of forgotten) held.values.delete(key);
    return forgotten;
  }

  /** Of the publishers that are there. */
  *ofTopic(topic: string): Generator<[nodeId: string, key: string, payload: Uint8Array]> {
    for (const [nodeId, publisher] of this.#publishers) {
      if (!publisher.up) continue;
      for (const [key, payload] of publisher.topics.get(topic)?.values.entries() ?? []) yield [nodeId, key, payload];
    }
  }

  /** Nobody here is interested any more. */
  dropTopic(topic: string): void {
    for (const publisher of this.#publishers.values()) publisher.topics.delete(topic);
  }

  bytes(): number {
    let sum = 0;
    for (const publisher of this.#publishers.values())
      for (const held of publisher.topics.values()) sum += held.values.bytes;
    return sum;
  }

  #held(nodeId: string, topic: string): Held | undefined {
    const publisher = this.#publishers.get(nodeId);
    if (!publisher) return undefined;
    let held = publisher.topics.get(topic);
    if (!held) {
      held = { values: new Retained(this.#bounds), unnamed: undefined };
      publisher.topics.set(topic, held);
    }
    return held;
  }
}
