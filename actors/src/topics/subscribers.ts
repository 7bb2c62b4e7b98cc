/**
 * The local subscribers of all topics. A delivery made while another is under way (a subscriber that publishes) waits its turn, so that all
 * subscribers see one order. A subscriber that throws is counted, logged at most once a second, and stays.
 */
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

export type Delivery = {
  topic: string;
  /** Node id of the publisher. */
  node: string;
  key: string | undefined;
  /** Empty with a key: forgotten. Shared by all subscribers, and perhaps a view of a larger frame: to be copied when it is kept. */
  payload: Uint8Array;
};

export type Subscriber = {
  deliver(delivery: Delivery): void;
  /** The link to a node is gone. What it said before is the subscriber's to keep or drop. */
  lost?(node: string): void;
  /**
   * What is known of a node's publications without a key may be old: some were missed (`gap`), or its stream only begins, and is whole from
   * now on. A snapshot asked of it from now on repairs it. At most once a second for each node.
   */
  stale?(node: string, why: StaleReason): void;
};

export type StaleReason = 'begins' | 'gap';

const logEveryMs = 1000;

export class Subscribers {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #byTopic = new Map<string, Set<{ readonly subscriber: Subscriber }>>();
  #waiting: (() => void)[] | undefined;
  #delivered = 0;
  #failures = 0;
  #loggedMs = -Infinity;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  get delivered(): number {
    return this.#delivered;
  }

  get failures(): number {
    return this.#failures;
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /** The function removes it; true when it was there. */
  add(topic: string, subscriber: Subscriber): () => boolean {
    const all = this.#byTopic.get(topic) ?? new Set();
    const one = { subscriber };
    this.#byTopic.set(topic, all.add(one));
    return () => {
      const was = all.delete(one);
      if (all.size === 0 && this.#byTopic.get(topic) === all) this.#byTopic.delete(topic);
      return was;
    };
  }

  deliver(delivery: Delivery): void {
    this.#inOrder(() => {
      for (const one of [...(this.#byTopic.get(delivery.topic) ?? [])]) this.deliverTo(one.subscriber, delivery);
    });
  }

  deliverTo(subscriber: Subscriber, delivery: Delivery): void {
    this.#delivered += 1;
    this.#guard(delivery.topic, () => subscriber.deliver(delivery));
  }

  lost(node: string): void {
    this.#inOrder(() => {
      for (const [topic, all] of [...this.#byTopic])
        for (const { subscriber } of [...all]) this.#guard(topic, () => subscriber.lost?.(node));
    });
  }

  stale(topic: string, node: string, why: StaleReason): void {
    this.#inOrder(() => {
      for (const { subscriber } of [...(this.#byTopic.get(topic) ?? [])])
        this.#guard(topic, () => subscriber.stale?.(node, why));
    });
  }

  begins(subscriber: Subscriber, topic: string, node: string): void {
    this.#guard(topic, () => subscriber.stale?.(node, 'begins'));
  }

  #inOrder(run: () => void): void {
    if (this.#waiting) {
      this.#waiting.push(run);
      return;
    }
    this.#waiting = [run];
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next();
    this.#waiting = undefined;
  }

  #guard(topic: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#failures += 1;
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#loggedMs < logEveryMs) return;
      this.#loggedMs = nowMs;
      this.#log.error({ topic, error, failures: this.#failures }, 'a subscriber failed');
    }
  }
}
