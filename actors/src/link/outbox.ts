/**
 * What waits for one peer: bounded in bytes, in the order it was told. When full, the oldest droppable messages (live topics: newer ones
 * follow) make room; what may not be dropped is refused, so that its sender knows; control messages (a handful of beats and goodbyes) always
 * get in. Pure.
 */
import { Mailbox } from '../system/mailbox.ts';

export type Urgency = 'control' | 'ordinary' | 'droppable';

type Item = { readonly order: number; readonly bytes: Uint8Array };

/** What a waiting message costs beside its bytes, about. */
const itemBytes = 64;
const maxItems = 1_000_000;

export class Outbox {
  readonly #maxBytes: number;
  readonly #firm = new Mailbox<Item>({ max: maxItems, whenFull: 'refuse' });
  readonly #droppable = new Mailbox<Item>({ max: maxItems, whenFull: 'refuse' });
  #order = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Droppable messages that made room for others. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False: full, nothing was taken. */
  offer(bytes: Uint8Array, urgency: Urgency): boolean {
    const cost = bytes.byteLength + itemBytes;
    if (urgency !== 'control') {
      while (this.#bytes + cost > this.#maxBytes && this.#dropOldest());
      if (this.#bytes + cost > this.#maxBytes) {
        if (urgency === 'droppable') this.#dropped += 1;
        return false;
      }
    }
    const queue = urgency === 'droppable' ? this.#droppable : this.#firm;
    this.#order += 1;
    if (queue.offer({ order: this.#order, bytes }).kind !== 'taken') return false;
    this.#bytes += cost;
    return true;
  }

  /** The next messages as one frame of about `maxFrameBytes` (a larger message goes alone), or undefined when nothing waits. */
  takeFrame(maxFrameBytes: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let queue = this.#next(); queue; queue = this.#next()) {
      const next = queue.peek()?.bytes.byteLength ?? 0;
      if (parts.length > 0 && size + next > maxFrameBytes) break;
      const item = this.#take(queue);
      if (!item) break;
      parts.push(item.bytes);
      size += item.bytes.byteLength;
    }
    return parts.length > 1 ? Buffer.concat(parts, size) : parts[0];
  }

  #next(): Mailbox<Item> | undefined {
    const firm = this.#firm.peek();
    const droppable = this.#droppable.peek();
    if (!droppable) return firm && this.#firm;
    return firm && firm.order < droppable.order ? this.#firm : this.#droppable;
  }

  #take(queue: Mailbox<Item>): Item | undefined {
    const item = queue.take();
    if (item) this.#bytes -= item.bytes.byteLength + itemBytes;
    return item;
  }

  #dropOldest(): boolean {
    const item = this.#take(this.#droppable);
    if (item) this.#dropped += 1;
    return item !== undefined;
  }
}
