/**
 * The queue in memory, for tests of who uses a queue: what it holds is lost with the process. Batches lie in an array in their order; one that was acknowledged leaves a
 * hole, holes at the front are passed over, and the array is made anew when half of it is holes.
 */
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import { addToGaps } from './gaps.ts';
import { comparePositions, type Gap, type LossReason, type Position, type Queue, type QueuedBatch } from './queue.ts';

/** What a batch costs beside its bytes. */
const overheadBytes = 256;

export const createMemoryQueue = (options: { maxBytes: number }): Queue => {
  /** Positions stay when a batch goes, so that they can be searched. */
  let places: { at: Position; batch: QueuedBatch | undefined }[] = [];
  let first = 0;
  let batches = 0;
  let bytes = 0;
  let dropped = 0;
  const account = { produced: 0, stored: 0, refused: 0, gap: 0, queued: 0 };
  let gaps: Gap[] = [];
  const givenOut = new Set<string>();
  /** Which record tells a gap, by the id of the gap. */
  const toldIn = new Map<string, Position>();
  const dictionaries = new Map<string, { dictionary: Dictionary; batches: number }>();

  /** Index of the first place at or behind a position. */
  const find = (position: Position): number => {
    let low = first;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const place = places[middle];
      if (place && comparePositions(place.at, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const remove = (index: number): QueuedBatch | undefined => {
    const place = places[index];
    const batch = place?.batch;
    if (!place || !batch) return undefined;
    place.batch = undefined;
    batches -= 1;
    account.queued -= batch.samples;
    bytes -= batch.bytes.length + overheadBytes;
    const known = dictionaries.get(batch.dictionary);
    if (known) {
      known.batches -= 1;
      if (known.batches === 0) dictionaries.delete(batch.dictionary);
    }
    return batch;
  };

  const isSame = (a: Position, b: Position): boolean => comparePositions(a, b) === 0;
  const giveUp = (given: QueuedBatch, reason?: LossReason): void => {
    dropped += 1;
    account.gap += given.samples;
    for (const [id, at] of toldIn) if (isSame(at, given)) toldIn.delete(id);
    addToGaps(gaps, given, givenOut, reason);
  };
  const forgetToldIn = (gone: Position): void => {
    gaps = gaps.filter(({ id }) => {
      const at = toldIn.get(id);
      return !at || !isSame(at, gone);
    });
  };

  const tidy = (): void => {
    while (first < places.length && !places[first]?.batch) first += 1;
    if (places.length - batches <= 64 || batches * 2 > places.length) return;
    places = places.filter((place) => place.batch !== undefined);
    first = 0;
  };

  return {
    append: (batch, dictionary) => {
      const last = places.at(-1);
      if (last && comparePositions(last.at, batch) >= 0)
        return Promise.reject(
          new Error(`BUG: batch ${batch.epoch}/${batch.seq} appended behind ${last.at.epoch}/${last.at.seq}`),
        );
      places.push({ at: { epoch: batch.epoch, seq: batch.seq }, batch });
      batches += 1;
      account.produced += batch.samples;
      account.queued += batch.samples;
      bytes += batch.bytes.length + overheadBytes;
      const known = dictionaries.get(batch.dictionary);
      if (known) known.batches += 1;
      else if (dictionary) dictionaries.set(batch.dictionary, { dictionary, batches: 1 });
      while (bytes > options.maxBytes) {
        const given = remove(first);
        first += 1;
        if (given) giveUp(given);
      }
      tidy();
      return Promise.resolve();
    },
    read: (after, limit) => {
      const found: QueuedBatch[] = [];
      let size = 0;
      let index = after ? find({ epoch: after.epoch, seq: after.seq + 1 }) : first;
      for (; index < places.length && found.length < limit.maxBatches; index += 1) {
        const batch = places[index]?.batch;
        if (!batch) continue;
        size += batch.bytes.length;
        if (found.length > 0 && size > limit.maxBytes) break;
        found.push(batch);
      }
      return Promise.resolve(found);
    },
    dictionary: (hash) => Promise.resolve(dictionaries.get(hash)?.dictionary),
    ack: (epoch, ranges, refused = []) => {
      const before = batches;
      for (const [from, to] of ranges)
        for (let index = find({ epoch, seq: from }); index < places.length; index += 1) {
          const at = places[index]?.at;
          if (!at || at.epoch !== epoch || at.seq > to) break;
          const gone = remove(index);
          if (!gone) continue;
          forgetToldIn(gone);
          const asked = refused.reduce((sum, one) => sum + (one.seq === gone.seq ? one.samples : 0), 0);
          const turnedDown = Math.min(asked, gone.samples);
          account.refused += turnedDown;
          account.stored += gone.samples - turnedDown;
        }
      tidy();
      return before - batches;
    },
    lose: (at, reason) => {
      const index = find(at);
      const place = places[index];
      const gone = place && comparePositions(place.at, at) === 0 ? remove(index) : undefined;
      if (!gone) return Promise.resolve(false);
      giveUp(gone, reason);
      tidy();
      return Promise.resolve(true);
    },
    size: () => ({ batches, bytes, dropped, oldestMs: places.find(({ batch }) => batch)?.batch?.timeMs }),
    account: () => ({ ...account }),
    durability: () => ({ state: 'degraded', detail: 'kept in memory' }),
    nextGap: () => {
      const gap = gaps.find(({ id }) => !toldIn.has(id));
      if (gap) givenOut.add(gap.id);
      return gap;
    },
    gapIsToldIn: (id, at) => {
      if (at) toldIn.set(id, at);
      else toldIn.delete(id);
    },
    close: () => Promise.resolve(),
  };
};
