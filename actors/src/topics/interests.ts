/**
 * Who is interested in which topic: this node (it has subscribers) and its peers. Reports a topic when the first becomes interested and when
 * the last is gone. A peer may be interested in a bounded number of topics; further ones are refused. Pure.
 */
import type { TopicRules } from './rules.ts';

const us = '';

export class Interests {
  readonly #byTopic = new Map<string, Set<string>>();
  readonly #topicsOf = new Map<string, Set<string>>();
  readonly #changed: (topic: string, interested: boolean) => void;
  readonly #takesTopic: TopicRules['takesTopic'];
  #refused = 0;

  constructor(rules: Pick<TopicRules, 'takesTopic'>, changed: (topic: string, interested: boolean) => void) {
    this.#takesTopic = rules.takesTopic;
    this.#changed = changed;
  }

  get refused(): number {
    return this.#refused;
  }

  /** True when this is new. Without a node it is this node that is interested. */
  add(topic: string, nodeId = us): boolean {
    const topics = this.#topicsOf.get(nodeId) ?? new Set<string>();
    if (topics.has(topic)) return false;
    if (nodeId !== us && !this.#takesTopic(topics.size)) {
      this.#refused += 1;
      return false;
    }
    this.#topicsOf.set(nodeId, topics.add(topic));
    const nodes = this.#byTopic.get(topic);
    if (nodes) {
      nodes.add(nodeId);
      return true;
    }
    this.#byTopic.set(topic, new Set([nodeId]));
    this.#changed(topic, true);
    return true;
  }

  remove(topic: string, nodeId = us): boolean {
    const topics = this.#topicsOf.get(nodeId);
    if (!topics?.delete(topic)) return false;
    if (topics.size === 0) this.#topicsOf.delete(nodeId);
    const nodes = this.#byTopic.get(topic);
    nodes?.delete(nodeId);
    if (nodes?.size !== 0) return true;
    this.#byTopic.delete(topic);
    this.#changed(topic, false);
    return true;
  }

  removeNode(nodeId: string): void {
    for (const topic of [...(this.#topicsOf.get(nodeId) ?? [])]) this.remove(topic, nodeId);
  }

  topicsOf(nodeId = us): ReadonlySet<string> {
    return this.#topicsOf.get(nodeId) ?? new Set();
  }

  peersOf(topic: string): string[] {
    return [...(this.#byTopic.get(topic) ?? [])].filter((nodeId) => nodeId !== us);
  }

  isWantedByPeers(topic: string): boolean {
    const nodes = this.#byTopic.get(topic);
    return nodes !== undefined && nodes.size > (nodes.has(us) ? 1 : 0);
  }

  topics(): string[] {
    return [...this.#byTopic.keys()];
  }
}
