/**
 * What this node numbers its publications by, so that those who hear them see a gap: without a break for each topic, the same number for all
 * peers, so that a publication is encoded once. Kept only while a peer is interested. Pure.
 */
import type { TopicRules } from './rules.ts';

export class Numbers {
  readonly #rules: TopicRules;
  readonly #byTopic = new Map<string, number>();
  #largest = 0;

  constructor(rules: TopicRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#byTopic.size;
  }

  topics(): IterableIterator<string> {
    return this.#byTopic.keys();
  }

  /** Of the last publication. */
  at(topic: string): number {
    return this.#byTopic.get(topic) ?? this.#set(topic, this.#rules.firstNumber(this.#largest));
  }

  next(topic: string): number {
    return this.#set(topic, this.at(topic) + 1);
  }

  drop(topic: string): void {
    this.#byTopic.delete(topic);
  }

  #set(topic: string, number: number): number {
    this.#byTopic.set(topic, number);
    this.#largest = Math.max(this.#largest, number);
    return number;
  }
}
