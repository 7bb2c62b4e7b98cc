/**
 * Writes groups of records to the newest segment. A group counts when its sync succeeded, the first one of a segment when the name of the file
 * is durable too. After an error the segment is left as it is: what was durable of it stays, the rest is written again to the next one.
 */
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import type { Disk, DiskFile } from './disk.ts';
import { maxPayloadBytes, recordBytes, writeRecord } from './record.ts';
import type { DictionaryPlace } from './recover-segment.ts';
import type { QueueRules } from './rules.ts';
import { addToIndex, newIndex, type SegmentIndex } from './segment-index.ts';
import { segmentHeaderBytes, segmentName, writeSegmentHeader, type SegmentHeader } from './segment-format.ts';
import { addRecord, type Segment } from './segment.ts';
import { bytesOf, type Waiting } from './tail.ts';

/** Larger groups make each sync carry more, and cost that much memory. */
const maxGroupBytes = 1024 * 1024;

export type OpenSegment = { readonly segment: Segment; readonly index: SegmentIndex };

export type SegmentWriter = {
  /** The segment being written, with what is durable of it; `undefined` before its first group is. */
  readonly current: OpenSegment | undefined;
  /** How many of the first of these go into one group: 0 when a new segment has to begin. */
  fits(entries: readonly Waiting[], maxSegmentBytes: number): number;
  /** The next group begins a new segment. */
  begin(header: SegmentHeader): void;
  /** Writes a group and makes it durable, or rejects: then `leave` is next. */
  write(
    group: readonly Waiting[],
    dictionaryOf: (hash: string) => Dictionary | undefined,
    ageMs: number,
  ): Promise<void>;
  /** The segment is not written any more. Returns it, if there is one. */
  leave(): Promise<OpenSegment | undefined>;
};

const text = new TextEncoder();

export const createSegmentWriter = (disk: Disk, rules: QueueRules): SegmentWriter => {
  let next: SegmentHeader | undefined;
  let current: OpenSegment | undefined;
  let file: DiskFile | undefined;
  let buffer = Buffer.alloc(64 * 1024);
  /** The dictionary of an agent stays the same: as it is written. */
  const written = { hash: '', bytes: new Uint8Array(0) };

  const bytesOfDictionary = (dictionary: Dictionary): Uint8Array => {
    if (written.hash !== dictionary.hash) {
      written.bytes = text.encode(JSON.stringify({ hash: dictionary.hash, targets: dictionary.targets }));
      written.hash = dictionary.hash;
    }
    return written.bytes;
  };

  const room = (bytes: number): void => {
    if (buffer.length >= bytes) return;
    const larger = Buffer.alloc(Math.max(bytes, buffer.length * 2));
    buffer.copy(larger);
    buffer = larger;
  };

  const newSegment = (header: SegmentHeader): Segment => ({
    ...{ ordinal: header.ordinal, name: segmentName(header.ordinal, header.salt), salt: header.salt },
    ...{ epoch: header.epoch, firstSeq: header.firstSeq },
    end: { ordinal: header.ordinal, seq: header.firstSeq - 1, total: header.before.produced, records: 0 },
    ...{ fileBytes: 0, queued: { records: 0, bytes: 0, samples: 0 }, ranges: [] },
    ...{
      oldestMs: Infinity,
      newestMs: -Infinity,
      firstAgeMs: header.ageMs,
      lastAgeMs: header.ageMs,
      dictionaries: [],
      isSealed: false,
      failedTo: -1,
    },
  });

  return {
    get current() {
      return current;
    },
    fits: (entries, maxSegmentBytes) => {
      const segment = current?.segment;
      const first = entries[0]?.batch;
      if (!first) return 0;
      let total = next?.before.produced ?? segment?.end.total;
      const epoch = next?.epoch ?? segment?.epoch;
      let bytes = next ? segmentHeaderBytes : (segment?.fileBytes ?? 0);
      const limit = next ? Infinity : maxSegmentBytes;
      let group = 0;
      let count = 0;
      for (const one of entries) {
        const { batch } = one;
        const size = bytesOf(one);
        if (batch.epoch !== epoch || total === undefined || one.total - batch.samples !== total) break;
        if (bytes + size > (count === 0 ? limit : maxSegmentBytes) || (count > 0 && group + size > maxGroupBytes))
          break;
        bytes += size;
        group += size;
        total = one.total;
        count += 1;
      }
      return count;
    },
    begin: (header) => {
      next = header;
    },
    write: async (group, dictionaryOf, ageMs) => {
      const header = next;
      if (header) current = { segment: newSegment(header), index: newIndex() };
      if (!current) throw new Error('BUG: nothing was begun');
      const { segment, index } = current;
      const known = new Set(segment.dictionaries.map(({ hash }) => hash));
      const dictionaries: DictionaryPlace[] = [];
      const places: number[] = [];
      const from = header ? 0 : segment.fileBytes;
      let at = 0;
      if (header) {
        writeSegmentHeader(buffer, header);
        at = segmentHeaderBytes;
      }
      group.forEach(({ batch, dictionary: given, total }, i) => {
        const number = segment.end.records + i;
        const dictionary =
          batch.dictionary === '' || known.has(batch.dictionary)
            ? undefined
            : (given ?? dictionaryOf(batch.dictionary));
        if (dictionary) {
          const bytes = bytesOfDictionary(dictionary);
          known.add(dictionary.hash);
          if (bytes.length <= maxPayloadBytes.dictionary) {
            room(at + recordBytes(bytes.length));
            dictionaries.push({ hash: dictionary.hash, offset: from + at, payloadBytes: bytes.length });
            const { epoch, seq, timeMs } = batch;
            const head = { kind: 'dictionary' as const, number, epoch, seq, timeMs, total: total - batch.samples };
            at = writeRecord(buffer, at, { ...head, dictionary: dictionary.hash, samples: 0 }, bytes, segment.salt);
          }
        }
        room(at + recordBytes(batch.bytes.length));
        places.push(from + at);
        const { kind, epoch, seq, timeMs, samples, dictionary: hash } = batch;
        const head = { kind, number, epoch, seq, timeMs, total, dictionary: hash, samples };
        at = writeRecord(buffer, at, head, batch.bytes, segment.salt);
      });
      file ??= await disk.open(segment.name, header !== undefined);
      await file.write([buffer.subarray(0, at)], from);
      try {
        await file.sync();
      } catch (error) {
        if (!rules.usesFileAfterError()) throw error;
        await file.sync();
      }
      if (header && rules.syncsNewNames()) await disk.syncDirectory();
      next = undefined;
      segment.fileBytes = from + at;
      segment.lastAgeMs = ageMs;
      segment.dictionaries.push(...dictionaries);
      group.forEach(({ batch, total }, i) => {
        const { seq, timeMs, samples, bytes } = batch;
        addRecord(segment, { seq, timeMs, samples, total, payloadBytes: bytes.length });
        addToIndex(index, seq, timeMs, places[i] ?? 0, bytes.length, samples);
      });
    },
    leave: async () => {
      const left = current;
      const handle = file;
      current = undefined;
      file = undefined;
      next = undefined;
      await handle?.close().catch(() => undefined);
      if (!left) return undefined;
      left.segment.isSealed = true;
      return left;
    },
  };
};
