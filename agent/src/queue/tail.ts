/**
 * Records that are not on disk yet, oldest first: those waiting for a commit, and all of them while the disk takes nothing. Bounded in bytes:
 * beyond the bound the oldest that is not being written goes.
 */
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import type { QueuedBatch } from './queue.ts';
import { recordBytes } from './record.ts';
import type { Segment } from './segment.ts';

export type Waiting = {
  readonly batch: QueuedBatch;
  readonly dictionary: Dictionary | undefined;
  /** Running total of samples, with its own. */
  readonly total: number;
  /** It was said to be safe while the disk took nothing: it may be on its way. */
  isReleased: boolean;
  isBeingWritten: boolean;
  /** Writing it there failed, and yet it may stand there. */
  mayBeIn?: Segment | undefined;
  /** Acknowledged while it was being written: how many of its samples were refused. */
  refused: number | undefined;
  done: (() => void) | undefined;
};

export type Tail = {
  readonly entries: readonly Waiting[];
  readonly bytes: number;
  add(one: Waiting): void;
  /** The first ones are on disk. */
  dropFirst(count: number): void;
  remove(one: Waiting): void;
  /** Takes out what is beyond the bound. */
  overflow(): Waiting[];
};

export const bytesOf = (one: { readonly batch: QueuedBatch }): number => recordBytes(one.batch.bytes.length);

export const createTail = (maxBytes: number): Tail => {
  let entries: Waiting[] = [];
  let bytes = 0;
  return {
    get entries() {
      return entries;
    },
    get bytes() {
      return bytes;
    },
    add: (one) => {
      entries.push(one);
      bytes += bytesOf(one);
    },
    dropFirst: (count) => {
      for (const one of entries.slice(0, count)) bytes -= bytesOf(one);
      entries = entries.slice(count);
    },
    remove: (one) => {
      const at = entries.indexOf(one);
      if (at < 0) return;
      entries.splice(at, 1);
      bytes -= bytesOf(one);
    },
    overflow: () => {
      const over: Waiting[] = [];
      let left = bytes;
      for (const one of entries) {
        if (left <= maxBytes) break;
        if (one.isBeingWritten) continue;
        over.push(one);
        left -= bytesOf(one);
      }
      if (over.length === 0) return over;
      const gone = new Set(over);
      entries = entries.filter((one) => !gone.has(one));
      bytes = left;
      return over;
    },
  };
};
