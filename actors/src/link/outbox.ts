/**
 * What waits for one peer: bounded in bytes, in the order it was told. When full, the oldest droppable messages (live topics: newer ones
 * follow) make room; what may not be dropped is refused, so that its sender knows; control messages (beats, names, who is down) always get
 * in, up to a limit of their own that no peer comes near who takes anything. Pure.
 *
 * Small messages are copied into blocks, one behind the other, so that a frame is mostly a piece of a block as it is: memory of its own for
 * each message would cost more than all the rest of telling it.
 */
import { Mailbox } from '../system/mailbox.ts';
import { viewBytes } from './packing.ts';
import { rules as linkRules } from './rules.ts';

export type Urgency = 'control' | 'ordinary' | 'droppable';
export type OutboxRules = Pick<typeof linkRules, 'goesFirst' | 'makesRoom'>;

type Item = { readonly order: number; readonly block: Uint8Array; readonly start: number; readonly length: number };

/** What a waiting message costs beside its bytes, about. */
const itemBytes = 64;
const maxItems = 1_000_000;
/** Raising it makes frames of one piece larger, and costs an idle link twice as much. */
const blockBytes = 64 * 1024;

/** Room for control messages beyond what everything else may take. */
const controlBytes = 2 * 1024 * 1024;

/** Messages of one kind, in order. */
class Lane {
  readonly #items = new Mailbox<Item>({ max: maxItems, whenFull: 'refuse' });
  #block = new Uint8Array(0);
  #used = 0;

  peek(): Item | undefined {
    return this.#items.peek();
  }

  take(): Item | undefined {
    return this.#items.take();
  }

  offer(order: number, bytes: Uint8Array): boolean {
    const length = bytes.byteLength;
    if (length > viewBytes) return this.#items.offer({ order, block: bytes, start: 0, length }).kind === 'taken';
    if (this.#used + length > this.#block.byteLength) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#used = 0;
    }
    const item = { order, block: this.#block, start: this.#used, length };
    if (this.#items.offer(item).kind !== 'taken') return false;
    this.#block.set(bytes, this.#used);
    this.#used += length;
    return true;
  }
}

export class Outbox {
  readonly #maxBytes: number;
  readonly #rules: OutboxRules;
  readonly #firm = new Lane();
  readonly #droppable = new Lane();
  #order = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(maxBytes: number, rules: OutboxRules = linkRules) {
    this.#maxBytes = maxBytes;
    this.#rules = rules;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Droppable messages that made room for others. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False: full, nothing was taken. Messages up to `viewBytes` are copied, larger ones must not be changed afterwards. */
  offer(bytes: Uint8Array, urgency: Urgency): boolean {
    const cost = bytes.byteLength + itemBytes;
    const maxBytes = this.#maxBytes + (urgency === 'control' ? controlBytes : 0);
    if (this.#bytes + cost > maxBytes) {
      while (this.#rules.makesRoom(urgency) && this.#bytes + cost > maxBytes && this.#dropOldest());
      if (this.#bytes + cost > maxBytes) {
        if (urgency === 'droppable') this.#dropped += 1;
        return false;
      }
    }
    this.#order += 1;
    if (!(urgency === 'droppable' ? this.#droppable : this.#firm).offer(this.#order, bytes)) return false;
    this.#bytes += cost;
    return true;
  }

  /** The next messages as one frame of about `maxFrameBytes` (a larger message goes alone), or undefined when nothing waits. */
  takeFrame(maxFrameBytes: number): Uint8Array | undefined {
    let lane = this.#next();
    const first = lane && this.#take(lane);
    if (!first) return undefined;
    const pieces: Uint8Array[] = [];
    let size = first.length;
    let { block, start } = first;
    let end = start + first.length;
    for (lane = this.#next(); lane; lane = this.#next()) {
      const length = lane.peek()?.length ?? 0;
      if (size + length > maxFrameBytes) break;
      const item = this.#take(lane);
      if (!item) break;
      if (item.block !== block || item.start !== end) {
        pieces.push(block.subarray(start, end));
        ({ block, start } = item);
      }
      end = item.start + item.length;
      size += length;
    }
    const last = block.subarray(start, end);
    if (pieces.length === 0) return last;
    pieces.push(last);
    return Buffer.concat(pieces, size);
  }

  #next(): Lane | undefined {
    const firm = this.#firm.peek();
    const droppable = this.#droppable.peek();
    if (!droppable) return firm && this.#firm;
    if (!firm) return this.#droppable;
    return this.#rules.goesFirst(firm.order, droppable.order) === 'firm' ? this.#firm : this.#droppable;
  }

  #take(lane: Lane): Item | undefined {
    const item = lane.take();
    if (item) this.#bytes -= item.length + itemBytes;
    return item;
  }

  #dropOldest(): boolean {
    const item = this.#take(this.#droppable);
    if (item) this.#dropped += 1;
    return item !== undefined;
  }
}
