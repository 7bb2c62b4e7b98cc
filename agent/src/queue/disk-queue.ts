/**
 * The queue on disk (FORMAT.md): records are written to segments in groups and count when their group is synced; a checkpoint keeps what of them
 * is settled, and settled segments go. All writing is done by one loop, one thing after another: a group, a checkpoint, a removal.
 *
 * While the disk takes nothing, records are kept in memory, bounded, and the queue says that it is degraded; it tries again until they are
 * written. What is in memory is always newer than what is on disk. A failed sync is never asked again: what it was about is written elsewhere.
 */
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { createCheckpointKeeper } from './checkpoint-keeper.ts';
import type { Disk } from './disk.ts';
import { sayDiskError } from './disk-error.ts';
import { createDictionaries } from './dictionaries.ts';
import { createGapKeeper } from './gap-keeper.ts';
import { comparePositions, isWithin, type Durability, type Position, type Queue } from './queue.ts';
import { createInMemory } from './in-memory.ts';
import { readQueue } from './read-queue.ts';
import { loseRecord } from './lose-record.ts';
import { maxPayloadBytes, recordBytes } from './record.ts';
import { recoverQueue } from './recover-queue.ts';
import { createRemoval } from './removal.ts';
import { rules as allRules, type QueueRules } from './rules.ts';
import type { SegmentIndex } from './segment-index.ts';
import { segmentBytes as largestSegmentBytes, segmentHeaderBytes, type SegmentEnd } from './segment-format.ts';
import { createSegmentReader } from './segment-reader.ts';
import { createSegmentWriter } from './segment-writer.ts';
import type { Segment } from './segment.ts';
import { createShelf } from './shelf.ts';
import { bytesOf, createTail, type Waiting } from './tail.ts';

/** 2 h of an ordinary host. Raising it costs that much memory while the disk takes nothing. */
const defaultRingBytes = 8 * 1024 * 1024;
/** How late an acknowledgement is on disk: what is not, is sent again after a crash. */
const checkpointMs = 1000;
/** How old the checkpoint is while records only come in. */
const quietCheckpointMs = 10_000;
const tendMs = 60_000;
const firstRetryMs = 1000;
const lastRetryMs = 30_000;

export type DiskQueue = Queue & {
  /** What was on disk at opening. */
  readonly found: {
    readonly lastSampleMs: number | undefined;
    readonly wasClean: boolean;
    readonly lastEpoch: number | undefined;
    readonly batches: number;
  };
};

/** Begins degraded where nothing can be written. Rejects only when the directory cannot be listed though it may be whole. */
export const openDiskQueue = async (options: {
  readonly disk: Disk;
  readonly host: string;
  /** Of this start: larger than `found.lastEpoch` must be what is appended. */
  readonly epoch: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes?: (n: number) => Uint8Array;
  readonly ringBytes?: number;
  readonly rules?: Partial<QueueRules>;
}): Promise<DiskQueue> => {
  const { disk, host, epoch, maxBytes, maxAgeMs, clock, log } = options;
  const { randomBytes = systemRandomBytes, ringBytes = defaultRingBytes } = options;
  const rules: QueueRules = { ...allRules, ...options.rules };
  const segmentBytes = Math.max(1024, Math.min(largestSegmentBytes, Math.floor(maxBytes / 8)));
  const recovered = await recoverQueue({ disk, host, epoch, nowMs: clock.wallMs(), log, rules });

  const gaps = createGapKeeper(rules);
  gaps.restore(recovered.kept);
  for (const gap of recovered.found) gaps.add(gap);
  gaps.close();
  const { segments, outside } = recovered;
  const shelf = createShelf({ segments, outside, gaps, epoch, rules });
  const checkpoints = createCheckpointKeeper(disk, recovered.checkpoints, rules);
  const reader = createSegmentReader(disk, log, rules);
  const writer = createSegmentWriter(disk, rules);
  const tail = createTail(ringBytes);
  const dictionaries = createDictionaries(segments, reader);
  const found = {
    ...{ lastSampleMs: recovered.newestMs, wasClean: recovered.wasClean, lastEpoch: recovered.lastEpoch },
    batches: shelf.queued().records,
  };

  const [openedMs, openedAtMs] = [clock.wallMs(), clock.monotonicMs()];
  const ageMs = (): number => recovered.ageMs + clock.monotonicMs() - openedAtMs;
  let nextOrdinal = recovered.nextOrdinal;
  let newestMs = recovered.newestMs;
  let end: SegmentEnd | undefined = recovered.end;
  let endEpoch = recovered.endEpoch;
  let last: Position | undefined = recovered.end && { epoch: endEpoch, seq: recovered.end.seq };
  let total = shelf.account().produced;

  let durability: Durability = { state: 'durable', detail: 'on disk' };
  /** Degraded, but the disk works again: what is in memory is being written, and new records wait for it. */
  let isFlushing = false;
  let retryAtMs = 0;
  let retryMs = firstRetryMs;
  let retryTimer: Timer | undefined;
  /** Something was settled that is in no segment: it has to be in a checkpoint before a segment begins behind it. */
  let outsideChanged = false;
  let checkpointDue = false;
  let tendDue = false;
  let isClosed = false;
  let isWorking = false;
  let working: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let dueTimer: { readonly atMs: number; cancel(): void } | undefined;

  /** Reads are made one after another. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const mine = turn.then(run);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const indexOf = (segment: Segment): SegmentIndex | undefined =>
    writer.current?.segment === segment ? writer.current.index : reader.index(segment);
  /** Only in turn. */
  const load = async (segment: Segment): Promise<SegmentIndex> => {
    const index = indexOf(segment) ?? (await reader.load(segment, (records) => shelf.foundLost(segment, records)));
    shelf.takeDeferred(segment, index);
    return index;
  };

  const dueIn = (ms: number): void => {
    const atMs = clock.monotonicMs() + ms;
    if (isClosed || (dueTimer && dueTimer.atMs <= atMs)) return;
    dueTimer?.cancel();
    const timer = clock.after(ms, () => {
      dueTimer = undefined;
      checkpointDue = true;
      kick();
    });
    dueTimer = { atMs, cancel: () => timer.cancel() };
  };

  /** A checkpoint of this process is on disk: the queue was not closed in order until one says so. */
  let isMarkedOpen = false;
  const checkpoint = async (isClean = false): Promise<void> => {
    const kept = gaps.all();
    const hadChanged = outsideChanged;
    outsideChanged = false;
    try {
      await checkpoints.write({
        ...{ host, isClean, writtenMs: clock.wallMs(), ageMs: ageMs(), lastEpoch: Math.max(epoch, endEpoch) },
        ...{ settled: { ...shelf.outside }, newestMs, openedMs, end: end && { ...end, epoch: endEpoch } },
        ...{ produced: shelf.durable(), nextOrdinal, gaps: kept, removed: [...removed.keys()], ranges: shelf.ranges() },
      });
      gaps.areDurable(kept);
      isMarkedOpen = true;
    } catch (error) {
      outsideChanged ||= hadChanged;
      throw error;
    }
  };

  const { removed, ...removal } = createRemoval({
    ...{ disk, shelf, checkpoints, rules, log, maxBytes, maxAgeMs, ageMs, removed: recovered.removed },
    checkpoint: () => checkpoint(),
    load: (segment) => inTurn(() => load(segment)),
    forget: (segment) => inTurn(() => reader.forget(segment)),
    sealOlder: async (isTooOld) => {
      if (writer.current && isTooOld(writer.current.segment)) await seal();
    },
    onLeft: () => dueIn(quietCheckpointMs),
  });

  const seal = async (): Promise<void> => {
    const left = await writer.leave();
    if (!left) return;
    const { segment, index } = left;
    if (shelf.segments.includes(segment)) reader.adopt(segment, index);
    else removal.discard(segment);
  };

  const begin = async (first: Waiting): Promise<void> => {
    await seal();
    const least = segmentHeaderBytes + bytesOf(first) + dictionaries.bytesOf(first.dictionary);
    await removal.makeRoom(Math.max(segmentBytes, least));
    if (outsideChanged) await checkpoint();
    const { stored, refused, gap } = shelf.account();
    const salt = Buffer.from(randomBytes(4)).readUInt32LE(0);
    writer.begin({
      ...{ host, ordinal: nextOrdinal, epoch: first.batch.epoch, salt, firstSeq: first.batch.seq },
      ...{ createdMs: clock.wallMs(), ageMs: ageMs(), previous: end },
      before: { produced: first.total - first.batch.samples, stored, refused, gap },
    });
    nextOrdinal += 1;
  };

  const inMemory = createInMemory(tail, shelf, rules, () => {
    outsideChanged = true;
  });

  const commitGroup = async (): Promise<void> => {
    const [first] = tail.entries;
    if (!first) return;
    const { current } = writer;
    const isLong = current && ageMs() - current.segment.firstAgeMs > maxAgeMs / 24;
    if (!current || isLong || writer.fits(tail.entries, segmentBytes) === 0) await begin(first);
    const count = Math.max(1, writer.fits(tail.entries, segmentBytes));
    const group = tail.entries.slice(0, count);
    for (const one of group) one.isBeingWritten = true;
    try {
      await writer.write(group, (hash) => dictionaries.get(hash), ageMs());
    } catch (error) {
      const failed = writer.current?.segment;
      if (failed) failed.failedTo = Math.max(failed.failedTo, group.at(-1)?.batch.seq ?? -1);
      for (const one of group) {
        one.isBeingWritten = false;
        if (failed && shelf.segments.includes(failed)) one.mayBeIn = failed;
        if (one.refused !== undefined) inMemory.settle(one, one.refused);
        else if (!rules.keepsUnsynced({ isSynced: false })) inMemory.takeOut(one);
      }
      throw error;
    }
    const { segment } = writer.current ?? {};
    if (!segment) throw new Error('BUG: nothing was written');
    if (!shelf.segments.includes(segment)) shelf.segments.push(segment);
    tail.dropFirst(group.length);
    end = segment.end;
    endEpoch = segment.epoch;
    for (const one of group) {
      const { batch } = one;
      newestMs = Math.max(newestMs ?? -Infinity, batch.timeMs);
      if (one.refused !== undefined)
        shelf.ack(batch.epoch, [[batch.seq, batch.seq]], [{ seq: batch.seq, samples: one.refused }], indexOf);
      inMemory.release(one);
    }
    dueIn(quietCheckpointMs);
  };

  const isBack = (): void => {
    if (durability.state === 'durable') return;
    isFlushing = tail.entries.some((one) => one.isReleased);
    if (isFlushing) return;
    retryMs = firstRetryMs;
    durability = { state: 'durable', detail: 'on disk' };
    log.info({}, 'the disk works again: all that was kept in memory is on it');
  };

  const degrade = (error: unknown): void => {
    const detail = `${sayDiskError(error)}: kept in memory`;
    if (durability.state === 'durable') log.error({ error }, `the queue cannot be written: ${detail}`);
    durability = { state: 'degraded', detail };
    isFlushing = false;
    for (const one of tail.entries) inMemory.release(one);
    retryAtMs = clock.monotonicMs() + retryMs;
    if (!isClosed) retryTimer = clock.after(retryMs, kick);
    retryMs = Math.min(lastRetryMs, retryMs * 2);
  };

  const commit = async (): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1)
      try {
        // An end from here on is to be noticed by the next start. A checkpoint that cannot be written must not hold up what can be.
        if (!isMarkedOpen) await checkpoint().catch(() => undefined);
        await commitGroup();
        isBack();
        return true;
      } catch (error) {
        await seal().catch(() => undefined);
        dueIn(checkpointMs);
        if (attempt < 2) continue;
        degrade(error);
        return false;
      }
  };

  /** In the background: what fails is tried again at the next checkpoint. */
  const tend = async (): Promise<void> => {
    const isTending = tendDue;
    tendDue = false;
    checkpointDue = false;
    try {
      if (isTending) await removal.giveUpOld();
      await checkpoint();
      await removal.purge();
    } catch (error) {
      log.warn({ error }, 'the checkpoint of the queue cannot be written: what was acknowledged may be sent again');
      dueIn(quietCheckpointMs);
    }
  };

  const work = async (): Promise<void> => {
    for (;;)
      if (tail.entries.length > 0 && (durability.state === 'durable' || isFlushing || clock.monotonicMs() >= retryAtMs))
        await commit();
      else if (shelf.deferred().length > 0)
        for (const segment of shelf.deferred())
          await inTurn(() => load(segment)).catch(() => shelf.dropDeferred(segment));
      else if (checkpointDue || tendDue) await tend();
      else {
        isWorking = false; // with the look that found nothing: a kick behind it is not missed
        return;
      }
  };
  const kick = (): void => {
    if (isWorking) return;
    isWorking = true;
    working = Promise.resolve()
      .then(work)
      .catch((error: unknown) => {
        isWorking = false;
        log.error({ error }, 'BUG: the work on the queue failed');
      });
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    timer.cancel();
    dueTimer?.cancel();
    retryTimer?.cancel();
    while (isWorking) await working;
    while (tail.entries.length > 0 && (await commit())); // until all is written, or nothing is
    for (const one of [...tail.entries]) {
      tail.remove(one);
      inMemory.lose(one);
    }
    await seal().catch(() => undefined);
    await removal.purge().catch(() => undefined);
    await checkpoint(true).catch((error: unknown) => log.error({ error }, 'the queue was not closed in order'));
    await inTurn(() => reader.close());
    await checkpoints.close();
  };
  let closing: Promise<void> | undefined;

  const timer = clock.every(tendMs, () => {
    tendDue = true;
    kick();
  });
  await checkpoint().catch(degrade);
  checkpointDue = removed.size > 0 || shelf.segments.some((one) => one.queued.records === 0);
  if (checkpointDue) kick();

  return {
    found,
    append: (batch, dictionary) => {
      if (isClosed) return Promise.reject(new Error('BUG: appended to a queue that is closed'));
      if (last && comparePositions(last, batch) >= 0)
        return Promise.reject(
          new Error(`BUG: record ${batch.epoch}/${batch.seq} appended behind ${last.epoch}/${last.seq}`),
        );
      if (batch.bytes.length > maxPayloadBytes[batch.kind])
        return Promise.reject(new Error(`BUG: a record of ${batch.bytes.length} bytes`));
      last = { epoch: batch.epoch, seq: batch.seq };
      total += batch.samples;
      shelf.produce(batch.samples);
      shelf.count(1, recordBytes(batch.bytes.length), batch.samples);
      if (dictionary) dictionaries.add(dictionary);
      const one: Waiting = {
        ...{ batch, dictionary, total, isReleased: false, isBeingWritten: false, mayBeIn: undefined },
        ...{ refused: undefined, done: undefined },
      };
      const promise = new Promise<void>((resolve) => {
        one.done = resolve;
      });
      tail.add(one);
      for (const over of tail.overflow()) inMemory.lose(over);
      if (rules.mayBeSent({ isSynced: false }, durability.state) && !isFlushing) inMemory.release(one);
      kick();
      return promise;
    },
    read: (after, limit) => inTurn(() => readQueue({ shelf, tail, reader, load, log }, after, limit)),
    dictionary: (hash) => inTurn(() => dictionaries.find(hash)),
    ack: (of, ranges, refused = []) => {
      const count = shelf.ack(of, ranges, refused, indexOf) + inMemory.ack(of, ranges, refused);
      const asked = ranges.map((range) => rules.whatAckLetsGo(range));
      const hasTold = gaps.acknowledged((at) => at.epoch === of && isWithin(asked, at.seq) && !inMemory.isUnsafe(at));
      if (count > 0 || hasTold) dueIn(checkpointMs);
      if (shelf.deferred().length > 0) kick();
      return count;
    },
    lose: (at, reason) =>
      inTurn(() => loseRecord({ shelf, inMemory, load, onLost: () => dueIn(checkpointMs) }, at, reason)),
    size: () => {
      const { records: batches, bytes } = shelf.queued();
      const oldestMs = shelf.oldestMs(indexOf) ?? tail.entries[0]?.batch.timeMs;
      return { batches, bytes, dropped: shelf.dropped, oldestMs };
    },
    account: () => shelf.account(),
    durability: () => durability,
    nextGap: () => {
      const gap = gaps.next();
      if (!gap && gaps.isWaiting()) dueIn(checkpointMs);
      return gap;
    },
    gapIsToldIn: (id, at) => {
      gaps.tell(id, at);
      dueIn(checkpointMs);
    },
    close: () => (closing ??= close()),
  };
};
