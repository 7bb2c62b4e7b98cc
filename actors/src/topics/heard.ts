/**
 * How far this node has heard each publisher on each topic, by the publisher's numbers. With its link a publisher is forgotten: when it is
 * back, all it said is stale. Bounded by the peers and the topics this node wants. Pure.
 */
import type { TopicRules } from './rules.ts';

type Stream = { number: number; heardBegin: boolean };

export class Heard {
  readonly #rules: TopicRules;
  readonly #publishers = new Map<string, Map<string, Stream>>();

  constructor(rules: TopicRules) {
    this.#rules = rules;
  }

  up(nodeId: string): void {
    this.#publishers.set(nodeId, new Map());
  }

  down(nodeId: string): void {
    this.#publishers.delete(nodeId);
  }

  /** One publication. */
  news(nodeId: string, topic: string, number: number): 'next' | 'gap' | 'old' {
    const topics = this.#publishers.get(nodeId);
    const stream = topics?.get(topic);
    const verdict = this.#rules.news(stream?.number, number);
    if (verdict === 'old') return verdict;
    if (stream) stream.number = number;
    else topics?.set(topic, { number, heardBegin: false });
    return verdict;
  }

  /** How far the publisher has got. True when something was missed. */
  upTo(nodeId: string, topic: string, number: number): boolean {
    const stream = this.#publishers.get(nodeId)?.get(topic);
    if (!this.#rules.isBehind(stream?.number, number)) return false;
    if (stream) stream.number = number;
    return true;
  }

  /** The publisher knows of our interest from here on. True when what is known of it may be old. */
  begins(nodeId: string, topic: string, number: number): boolean {
    const topics = this.#publishers.get(nodeId);
    const stream = topics?.get(topic);
    const stale = this.#rules.beginsStale(stream?.number, stream?.heardBegin ?? false, number);
    topics?.set(topic, { number, heardBegin: true });
    return stale;
  }

  /** Publishers that are there and know of our interest. */
  publishersOf(topic: string): string[] {
    return [...this.#publishers]
      .filter(([, topics]) => topics.get(topic)?.heardBegin === true)
      .map(([nodeId]) => nodeId);
  }

  /** Nobody here is interested any more. */
  dropTopic(topic: string): void {
    for (const topics of this.#publishers.values()) topics.delete(topic);
  }
}
