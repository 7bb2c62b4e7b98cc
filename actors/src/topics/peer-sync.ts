/**
 * What one peer still has to be told for its view to be whole: interests that changed, topics whose retained values it lacks, keys that changed
 * while its outbox was full. Live news are told at once and may be lost; this may not, so it is kept (as names, never as payloads) until a tell
 * is taken, and repeated from the newest values. Bounded by the topics and keys there are. Pure but for `tell`.
 */
import { interestMessage, newsMessage, retainedMessage } from './topic-messages.ts';
import type { Entry } from './topic-messages.ts';
import type { Retained } from './retained.ts';

/** Retained values of a topic go out in parts of about this size. */
const partBytes = 256 * 1024;
const noBytes = new Uint8Array(0);
/** Keys of one topic to be told again; beyond it, the topic is told whole. */
const maxKeys = 1000;

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
  readonly #interests = new Set<string>();
  readonly #topics = new Set<string>();
  readonly #keys = new Map<string, Set<string>>();

  /** `tell` gives false when the message was not taken. */
  constructor(tell: (message: unknown) => boolean) {
    this.#tell = tell;
  }

  get isDone(): boolean {
    return this.#interests.size === 0 && this.#topics.size === 0 && this.#keys.size === 0;
  }

  interestChanged(topic: string): void {
    this.#interests.add(topic);
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
  run(state: { interestedIn: ReadonlySet<string>; retained: ReadonlyMap<string, Retained> }): void {
    if (!this.#runInterests(state.interestedIn)) return;
    for (const topic of this.#topics) {
      const parts = partsOf(state.retained.get(topic));
      const told = parts.every((part, at) =>
        this.#tell(retainedMessage(topic, part, { first: at === 0, last: at === parts.length - 1 })),
      );
      if (!told) return;
      this.#topics.delete(topic);
    }
    for (const [topic, keys] of this.#keys) {
      for (const key of keys) {
        if (!this.#tell(newsMessage(topic, state.retained.get(topic)?.get(key) ?? noBytes, key))) return;
        keys.delete(key);
      }
      this.#keys.delete(topic);
    }
  }

  #runInterests(interestedIn: ReadonlySet<string>): boolean {
    if (this.#interests.size === 0) return true;
    const changed = [...this.#interests];
    const add = changed.filter((topic) => interestedIn.has(topic));
    const remove = changed.filter((topic) => !interestedIn.has(topic));
    if (!this.#tell(interestMessage(add, remove))) return false;
    this.#interests.clear();
    return true;
  }
}
