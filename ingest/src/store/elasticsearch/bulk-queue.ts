/**
 * What waits to be sent: the bulk that is being filled, those that are full, and apart from them those of which the server has refused some
 * documents for now (parked), so that one index that takes nothing does not hold up the others. And how much memory all of it takes.
 *
 * `heldBytes` counts memory as it is: whole buffers, however little of them is used, also those on their way and those kept for the next
 * bulk, and what is remembered per document.
 */
import { bulkBytes, bulkDocuments, bulkOf, emptyBulk, type Bulk, type Item } from './bulk.ts';

/** An item, its place in a list, and its share of the write it belongs to. */
const itemBytes = 120;
const roomBytes = 64 * 1024;
const standardBytes = bulkBytes + roomBytes;
/** A buffer begins with this much and doubles until it is a whole one, so that a node with little to do holds little. */
const firstBytes = 64 * 1024;
/** Part of the bound that buffers for the next bulks may take, while nothing needs them. */
const freeShare = 0.25;

export type BulkQueue = {
  /** The bulk being filled, with room for so many bytes. */
  open(bytes: number): Bulk;
  add(bulk: Bulk, item: Item): void;
  /** The bulk being filled is due: it goes to the others. */
  seal(): void;
  readonly ready: Bulk[];
  readonly parked: Bulk[];
  /** A bulk of only these items, in a buffer of its own. */
  readonly copy: (bulk: Bulk, items: readonly Item[]) => Bulk;
  /** Nothing of this bulk is needed any more. */
  readonly drop: (bulk: Bulk) => void;
  heldBytes(): number;
  isEmpty(): boolean;
};

/** `onOpened`: a bulk has its first document; `onSealed`: it is due no more. */
export const createBulkQueue = (options: {
  readonly maxHeldBytes: number;
  onOpened(): void;
  onSealed(): void;
}): BulkQueue => {
  const ready: Bulk[] = [];
  const parked: Bulk[] = [];
  /** The larger the later. */
  const free: Buffer[] = [];
  let freeBytes = 0;
  let filling: Bulk | undefined;
  let heldBytes = 0;

  const taken = (bytes: Buffer): Buffer => {
    heldBytes += bytes.length;
    return bytes;
  };

  /**
   * Buffers are used again whatever their size: each bulk making a new one is garbage outside of the heap, megabytes of it a second, for which
   * all of the heap is looked through.
   */
  const release = (bytes: Buffer): void => {
    if (freeBytes + bytes.length > options.maxHeldBytes * freeShare) {
      heldBytes -= bytes.length;
      return;
    }
    freeBytes += bytes.length;
    const larger = free.findIndex((one) => one.length > bytes.length);
    free.splice(larger < 0 ? free.length : larger, 0, bytes);
  };

  const reuse = (): Buffer | undefined => {
    const bytes = free.pop();
    freeBytes -= bytes?.length ?? 0;
    return bytes;
  };

  const begin = Math.min(firstBytes, Math.max(1024, options.maxHeldBytes >> 2));

  const grown = (bulk: Bulk, bytes: number): Bulk => {
    if (bytes <= bulk.bytes.length) return bulk;
    const size = Math.max(bytes, Math.min(standardBytes, bulk.bytes.length * 2));
    const larger = taken(Buffer.allocUnsafeSlow(size));
    bulk.bytes.copy(larger, 0, 0, bulk.used);
    release(bulk.bytes);
    bulk.bytes = larger;
    return bulk;
  };

  const drop = (bulk: Bulk): void => {
    heldBytes -= bulk.items.length * itemBytes;
    release(bulk.bytes);
  };

  const copy = (bulk: Bulk, items: readonly Item[]): Bulk => {
    const some = bulkOf(bulk, items);
    taken(some.bytes);
    heldBytes += some.items.length * itemBytes;
    return some;
  };

  const seal = (): void => {
    const bulk = filling;
    filling = undefined;
    options.onSealed();
    if (!bulk) return;
    // While bulks pile up, one that is mostly empty would hold memory for nothing.
    if (ready.length === 0 || bulk.used >= bulk.bytes.length / 2) return void ready.push(bulk);
    ready.push(copy(bulk, bulk.items));
    drop(bulk);
  };

  return {
    ready,
    parked,
    seal,
    copy,
    drop,
    open: (bytes) => {
      if (filling && (filling.used + bytes > standardBytes || filling.items.length >= bulkDocuments)) seal();
      if (filling) return grown(filling, filling.used + bytes);
      filling = grown(emptyBulk(reuse() ?? taken(Buffer.allocUnsafeSlow(begin))), bytes);
      options.onOpened();
      return filling;
    },
    add: (bulk, item) => {
      bulk.items.push(item);
      bulk.used = item.to;
      heldBytes += itemBytes;
      if (item.to >= bulkBytes) seal();
    },
    heldBytes: () => heldBytes,
    isEmpty: () => !filling && ready.length === 0 && parked.length === 0,
  };
};
