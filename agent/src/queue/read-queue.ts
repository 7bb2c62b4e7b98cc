/** Reads the oldest records behind a position: from the segments, then those in memory that may be sent. */
import type { Log } from '@thrum/actors/system/log';
import { isNoSuchFile } from './disk-error.ts';
import { comparePositions, type Position, type QueuedBatch } from './queue.ts';
import type { SegmentIndex } from './segment-index.ts';
import { firstFrom } from './segment-index.ts';
import type { SegmentReader } from './segment-reader.ts';
import { isSettled, type Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';
import type { Tail } from './tail.ts';

type Limit = { readonly maxBatches: number; readonly maxBytes: number };

type Parts = {
  readonly shelf: Shelf;
  readonly tail: Tail;
  readonly reader: SegmentReader;
  readonly load: (segment: Segment) => Promise<SegmentIndex>;
  readonly log: Log;
};

export const readQueue = async (parts: Parts, after: Position | undefined, limit: Limit): Promise<QueuedBatch[]> => {
  const { shelf, tail, reader, log } = parts;
  const found: QueuedBatch[] = [];
  let bytes = 0;
  const fits = (payload: number): boolean => found.length === 0 || bytes + payload <= limit.maxBytes;

  /** False when the limits are reached. */
  const readSegment = async (segment: Segment): Promise<boolean> => {
    const index = await parts.load(segment);
    let at = after?.epoch === segment.epoch ? firstFrom(index, after.seq + 1) : 0;
    while (at < index.count) {
      if (isSettled(segment, index.seqs[at] ?? 0)) {
        at += 1;
        continue;
      }
      let to = at;
      let size = 0;
      while (
        to < index.count &&
        found.length + to - at < limit.maxBatches &&
        !isSettled(segment, index.seqs[to] ?? 0)
      ) {
        const payload = index.payloadBytes[to] ?? 0;
        if (to > at ? bytes + size + payload > limit.maxBytes : !fits(payload)) break;
        size += payload;
        to += 1;
      }
      if (to === at) return false;
      const records = await reader.read(segment, index, at, to);
      records.forEach((record, i) => {
        const seq = index.seqs[at + i] ?? 0;
        if (isSettled(segment, seq)) return; // meanwhile
        if (!record || record.head.kind === 'dictionary') {
          log.error({ segment: segment.name, seq }, 'a record of the queue cannot be read: it is a gap now');
          shelf.loseRecord(segment, index, at + i);
          return;
        }
        const { kind, epoch, timeMs, dictionary, samples } = record.head;
        found.push({ kind, epoch, seq, timeMs, dictionary, samples, bytes: record.payload });
        bytes += record.payload.length;
      });
      at = to;
    }
    return true;
  };

  for (const segment of [...shelf.segments]) {
    if (segment.queued.records === 0) continue;
    if (after && comparePositions({ epoch: segment.epoch, seq: segment.end.seq }, after) <= 0) continue;
    try {
      if (!(await readSegment(segment))) return found;
    } catch (error) {
      if (!isNoSuchFile(error)) {
        log.error({ error, segment: segment.name }, 'a segment of the queue cannot be read now');
        return found;
      }
      await reader.forget(segment);
      await parts.load(segment); // finds that nothing is left of it
    }
  }
  for (const { batch, isReleased, refused } of tail.entries) {
    if (!isReleased || refused !== undefined || (after && comparePositions(batch, after) <= 0)) continue;
    if (found.length >= limit.maxBatches || !fits(batch.bytes.length)) break;
    found.push(batch);
    bytes += batch.bytes.length;
  }
  return found;
};
