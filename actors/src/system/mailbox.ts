/**
 * A bounded queue of messages, first in first out, with a rule for when it is full. A ring buffer that grows by doubling up to `max`, so that
 * an idle actor holds next to nothing.
 */
export type MailboxRule = { readonly max: number; readonly whenFull: 'refuse' | 'drop-oldest' };

export type Offer<T> =
  { readonly kind: 'taken' } | { readonly kind: 'refused' } | { readonly kind: 'displaced'; oldest: T };

const taken = { kind: 'taken' } as const;
const refused = { kind: 'refused' } as const;
const smallest = 4;

export class Mailbox<T> {
  readonly #rule: MailboxRule;
  #ring: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  constructor(rule: MailboxRule) {
    if (!Number.isInteger(rule.max) || rule.max < 1)
      throw new Error(`a mailbox needs room for a message, got max ${rule.max}`);
    this.#rule = rule;
  }

  get size(): number {
    return this.#size;
  }

  offer(item: T): Offer<T> {
    if (this.#size < this.#rule.max) {
      this.#push(item);
      return taken;
    }
    if (this.#rule.whenFull === 'refuse') return refused;
    const oldest = this.take();
    this.#push(item);
    return oldest === undefined ? taken : { kind: 'displaced', oldest };
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }

  take(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#size -= 1;
    return item;
  }

  /** Empties it; whoever calls answers for what was inside. */
  takeAll(): T[] {
    const all: T[] = [];
    for (let item = this.take(); item !== undefined; item = this.take()) all.push(item);
    this.#ring = [];
    this.#head = 0;
    return all;
  }

  #push(item: T): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#size) % this.#ring.length] = item;
    this.#size += 1;
  }

  #grow(): void {
    const wider = new Array<T | undefined>(Math.min(this.#rule.max, Math.max(smallest, this.#ring.length * 2)));
    for (let at = 0; at < this.#size; at += 1) wider[at] = this.#ring[(this.#head + at) % this.#ring.length];
    this.#ring = wider;
    this.#head = 0;
  }
}
