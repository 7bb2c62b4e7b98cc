/**
 * How segments go: those that are settled, and the oldest when there is no room or they waited too long. In this order: what is settled is in the
 * checkpoints, then the files go, then the checkpoints stop naming them. So a crash in between loses nothing and counts nothing twice.
 */
import type { Log } from '@thrum/actors/system/log';
import { maxRemoved } from './checkpoint.ts';
import type { CheckpointKeeper } from './checkpoint-keeper.ts';
import type { Disk } from './disk.ts';
import { isNoSuchFile } from './disk-error.ts';
import type { QueueRules } from './rules.ts';
import type { SegmentIndex } from './segment-index.ts';
import type { Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';

/** One small segment per start of an agent: so many starts fit while ingest is away. Each costs half a KB of memory. */
const maxSegments = 4096;

export type Removal = {
  /** Settled segments whose files may be there, by ordinal. */
  readonly removed: ReadonlyMap<number, readonly string[]>;
  /** The file of a segment that failed before anything of it counted. */
  discard(segment: Segment): void;
  /** Lets go of segments with nothing left in them. Rejects when the checkpoints cannot be written. */
  purge(): Promise<void>;
  /** Gives up what is too old; `purge` makes it go. */
  giveUpOld(): Promise<void>;
  /** Makes sure that so many bytes fit, by giving up the oldest. Rejects when their files cannot go. */
  makeRoom(bytes: number): Promise<void>;
};

export const createRemoval = (options: {
  readonly disk: Disk;
  readonly shelf: Shelf;
  readonly checkpoints: CheckpointKeeper;
  readonly rules: QueueRules;
  readonly log: Log;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly removed: ReadonlyMap<number, readonly string[]>;
  readonly ageMs: () => number;
  readonly checkpoint: () => Promise<void>;
  readonly load: (segment: Segment) => Promise<SegmentIndex>;
  /** Nobody reads it any more. */
  readonly forget: (segment: Segment) => Promise<void>;
  /** The segment being written is too old: it is written no more. */
  readonly sealOlder: (isTooOld: (segment: Segment) => boolean) => Promise<void>;
  /** Something is left to do later. */
  readonly onLeft: () => void;
}): Removal => {
  const { disk, shelf, checkpoints, rules, log, checkpoint } = options;
  const removed = new Map(options.removed);
  const isDone = (segment: Segment): boolean => segment.isSealed && segment.queued.records === 0;

  const removeFiles = async (ordinal: number, names: readonly string[]): Promise<boolean> => {
    try {
      for (const name of names)
        await disk.remove(name).catch((error: unknown) => {
          if (!isNoSuchFile(error)) throw error;
        });
      return true;
    } catch (error) {
      log.warn({ error, ordinal }, 'a settled segment of the queue cannot be removed: it stays for now');
      options.onLeft();
      return false;
    }
  };

  const purge = async (): Promise<void> => {
    for (const segment of shelf.segments.filter(isDone)) {
      if (removed.size >= maxRemoved) break;
      shelf.remove(segment);
      removed.set(segment.ordinal, [segment.name]);
      await options.forget(segment);
    }
    const waits = (): boolean => [...removed.keys()].some((one) => !checkpoints.mayRemove(one));
    for (let round = 0; round < 2 && waits(); round += 1) await checkpoint();
    const gone: number[] = [];
    for (const [ordinal, names] of removed)
      if (checkpoints.mayRemove(ordinal) && (await removeFiles(ordinal, names))) gone.push(ordinal);
    if (gone.length === 0) return;
    await disk.syncDirectory();
    for (const ordinal of gone) removed.delete(ordinal);
  };

  const giveUp = async (segment: Segment, reason: 'full' | 'age'): Promise<void> => {
    const needsIndex = segment.ranges.length > 0 && segment.queued.records > 0;
    const index = needsIndex ? await options.load(segment).catch(() => undefined) : undefined;
    log.warn({ segment: segment.name, records: segment.queued.records, reason }, 'the oldest of the queue is given up');
    shelf.giveUp(segment, reason, index);
  };

  const giveUpOld = async (): Promise<void> => {
    const now = options.ageMs();
    const isTooOld = (segment: Segment): boolean => rules.isTooOld(segment.lastAgeMs, now, options.maxAgeMs);
    await options.sealOlder(isTooOld);
    for (const segment of shelf.segments.filter((one) => one.isSealed && !isDone(one) && isTooOld(one)))
      await giveUp(segment, 'age');
  };

  return {
    removed,
    discard: (segment) => void removed.set(segment.ordinal, [segment.name]),
    purge,
    giveUpOld,
    makeRoom: async (needed) => {
      const isTight = (bytes: number, count: number): boolean =>
        bytes + needed > options.maxBytes || count >= maxSegments;
      await giveUpOld();
      // What is settled goes before anything that is not.
      if (shelf.segments.some(isDone) && isTight(shelf.fileBytes(), shelf.segments.length)) await purge();
      const candidates = [...shelf.segments];
      let bytes = shelf.fileBytes();
      while (candidates.length > 0 && isTight(bytes, candidates.length)) {
        const [segment] = candidates.splice(rules.whatIsGivenUp(candidates.length), 1);
        if (!segment) break;
        await giveUp(segment, 'full');
        bytes -= segment.fileBytes;
      }
      if (candidates.length < shelf.segments.length) await purge();
    },
  };
};
