/**
 * Says to a topic's subscribers that what they know of a publisher may be old; each time they may ask it for a snapshot, so not more often
 * than the rule allows for one publisher and topic: what comes sooner is said once, later. Bounded by the topics this node wants and its peers.
 */
import type { Clock, Timer } from '../system/clock.ts';
import { staleEveryMs } from './rules.ts';
import type { TopicRules } from './rules.ts';
import type { StaleReason } from './subscribers.ts';

export class StaleNotices {
  readonly #clock: Clock;
  readonly #rules: TopicRules;
  readonly #tell: (topic: string, node: string, why: StaleReason) => void;
  readonly #toldMs = new Map<string, Map<string, number>>();
  readonly #waiting = new Map<string, Map<string, Timer>>();
  #told = 0;

  constructor(options: {
    clock: Clock;
    rules: TopicRules;
    tell: (topic: string, node: string, why: StaleReason) => void;
  }) {
    this.#clock = options.clock;
    this.#rules = options.rules;
    this.#tell = options.tell;
  }

  get told(): number {
    return this.#told;
  }

  note(topic: string, node: string, why: StaleReason): void {
    if (this.#waiting.get(topic)?.has(node)) return;
    const nowMs = this.#clock.monotonicMs();
    const toldMs = this.#toldMs.get(topic)?.get(node) ?? -Infinity;
    if (this.#rules.mayTellStale(toldMs, nowMs)) this.#now(topic, node, why);
    else {
      const timer = this.#clock.after(Math.max(1, toldMs + staleEveryMs - nowMs), () => {
        this.#waiting.get(topic)?.delete(node);
        // A gap is the stronger word, and may be what came meanwhile.
        this.#now(topic, node, 'gap');
      });
      of(this.#waiting, topic).set(node, timer);
    }
  }

  /** Nobody here is interested any more. */
  dropTopic(topic: string): void {
    for (const timer of this.#waiting.get(topic)?.values() ?? []) timer.cancel();
    this.#waiting.delete(topic);
    this.#toldMs.delete(topic);
  }

  /** Its link is gone: when it is back, it begins. */
  dropNode(node: string): void {
    for (const timers of this.#waiting.values()) {
      timers.get(node)?.cancel();
      timers.delete(node);
    }
    for (const told of this.#toldMs.values()) told.delete(node);
  }

  close(): void {
    for (const topic of [...this.#waiting.keys()]) this.dropTopic(topic);
  }

  #now(topic: string, node: string, why: StaleReason): void {
    of(this.#toldMs, topic).set(node, this.#clock.monotonicMs());
    this.#told += 1;
    this.#tell(topic, node, why);
  }
}

const of = <T>(map: Map<string, Map<string, T>>, topic: string): Map<string, T> => {
  const inner = map.get(topic) ?? new Map<string, T>();
  map.set(topic, inner);
  return inner;
};
