/**
 * What one peer still has to be told for its view to be whole: interests that changed, topics whose retained values it lacks, keys that changed
 * while its outbox was full, how far the numbers got of topics of which news were dropped. Live news are told at once and may be lost; this may
 * not, so it is kept (as names, never as payloads) until a tell is taken, and repeated from the newest values. Bounded by the topics and keys
 * there are. Pure but for `tell`.
 */
import type { Numbers } from './numbers.ts';
import { interestMessage, newsMessage, retainedMessage, upToMessage } from './topic-messages.ts';
import type { Entry } from './topic-messages.ts';
import type { Retained } from './retained.ts';
import type { TopicRules } from './rules.ts';

export type Told = {
  readonly interestedIn: ReadonlySet<string>;
  readonly retained: ReadonlyMap<string, Retained>;
  readonly numbers: Numbers;
  readonly nowMs: number;
};

/** Retained values of a topic go out in parts of about this size. */
const partBytes = 256 * 1024;
const noBytes = new Uint8Array(0);
/** Keys of one topic to be told again; beyond it, the topic is told whole. */
const maxKeys = 1000;
/** Topics whose number is told in one message. */
const maxUpTo = 1000;
/** Topics of which it is remembered when they were told whole. */
const maxWhole = 1000;

const partsOf = (values: Retained | undefined): Entry[][] => {
  const parts: Entry[][] = [[]];
  let bytes = 0;
  for (const [key, payload] of values?.entries() ?? []) {
    if (bytes > partBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push([key, payload]);
    bytes += key.length + payload.byteLength;
  }
  return parts;
};

export class PeerSync {
  readonly #tell: (message: unknown) => boolean;
  readonly #rules: TopicRules;
  readonly #interests = new Set<string>();
  readonly #topics = new Set<string>();
  readonly #keys = new Map<string, Set<string>>();
  readonly #upTo = new Set<string>();
  readonly #wholeMs = new Map<string, number>();
  #allInterests = true;
  /** Of our interest, as this peer was told it. */
  #version = 0;

  /** `tell` gives false when the message was not taken. */
  constructor(tell: (message: unknown) => boolean, rules: TopicRules) {
    this.#tell = tell;
    this.#rules = rules;
  }

  get isDone(): boolean {
    const owed = this.#interests.size + this.#topics.size + this.#keys.size + this.#upTo.size;
    return owed === 0 && !this.#allInterests;
  }

  interestChanged(topic: string): void {
    this.#interests.add(topic);
  }

  /** The peer missed a change of our interest. */
  needsInterests(): void {
    this.#allInterests = true;
  }

  /** News of this topic were dropped on their way to the peer. */
  needsNumber(topic: string): void {
    this.#upTo.add(topic);
  }

  /** The peer became interested: it needs all that is retained. */
  needsAll(topic: string): void {
    this.#topics.add(topic);
    this.#keys.delete(topic);
  }

  /** The peer lost interest. */
  needsNothing(topic: string): void {
    this.#topics.delete(topic);
    this.#keys.delete(topic);
    this.#upTo.delete(topic);
  }

  /** True when the newest value of this key will go out with what is owed already, so that telling it now would be telling it twice. */
  owes(topic: string, key: string): boolean {
    return this.#topics.has(topic) || (this.#keys.get(topic)?.has(key) ?? false);
  }

  needsKey(topic: string, key: string): void {
    if (this.#topics.has(topic)) return;
    const keys = this.#keys.get(topic) ?? new Set();
    keys.add(key);
    if (keys.size > maxKeys) this.needsAll(topic);
    else this.#keys.set(topic, keys);
  }

  /** Tells as much as is taken. */
  run(state: Told): void {
    if (!this.#runInterests(state.interestedIn) || !this.#runNumbers(state.numbers)) return;
    for (const topic of this.#topics) {
      if (!this.#rules.mayTellWhole(this.#wholeMs.get(topic) ?? -Infinity, state.nowMs)) continue;
      const parts = partsOf(state.retained.get(topic));
      const number = state.numbers.at(topic);
      const told = parts.every((part, at) =>
        this.#tell(retainedMessage(topic, part, { first: at === 0, last: at === parts.length - 1, number })),
      );
      if (!told) return;
      this.#topics.delete(topic);
      this.#upTo.delete(topic);
      this.#noteWhole(topic, state.nowMs);
    }
    for (const [topic, keys] of this.#keys) {
      for (const key of keys) {
        if (!this.#tell(newsMessage(topic, state.retained.get(topic)?.get(key) ?? noBytes, { key }))) return;
        keys.delete(key);
      }
      this.#keys.delete(topic);
    }
  }

  #noteWhole(topic: string, nowMs: number): void {
    this.#wholeMs.delete(topic);
    this.#wholeMs.set(topic, nowMs);
    const [oldest] = this.#wholeMs.keys();
    if (this.#wholeMs.size > maxWhole && oldest !== undefined) this.#wholeMs.delete(oldest);
  }

  #runInterests(interestedIn: ReadonlySet<string>): boolean {
    if (this.#interests.size === 0 && !this.#allInterests) return true;
    const all = this.#allInterests;
    const changed = all ? [...interestedIn] : [...this.#interests];
    const add = changed.filter((topic) => interestedIn.has(topic));
    const remove = changed.filter((topic) => !interestedIn.has(topic));
    const version = this.#version + 1;
    if (!this.#tell(interestMessage({ base: all ? 0 : this.#version, version, add, remove }))) return false;
    this.#version = version;
    this.#allInterests = false;
    this.#interests.clear();
    return true;
  }

  #runNumbers(numbers: Numbers): boolean {
    while (this.#upTo.size > 0) {
      const topics = [...this.#upTo].slice(0, maxUpTo);
      if (!this.#tell(upToMessage(topics.map((topic) => [topic, numbers.at(topic)] as const)))) return false;
      for (const topic of topics) this.#upTo.delete(topic);
    }
    return true;
  }
}
