/**
 * Reads records of segments. The index of a segment is made by reading it once; those of the few segments in use are kept, with their files
 * open. Calls are made one after another.
 */
import type { Log } from '@thrum/actors/system/log';
import type { Disk, DiskFile } from './disk.ts';
import { isNoSuchFile } from './disk-error.ts';
import { isWholeRecord, readRecordHead, recordBytes, recordHeadBytes, type RecordHead } from './record.ts';
import { recoverSegment, type SegmentRecords } from './recover-segment.ts';
import type { QueueRules } from './rules.ts';
import { newIndex, type SegmentIndex } from './segment-index.ts';
import type { Segment } from './segment.ts';

/** Records whose places are kept, 28 bytes each: of the segments that are sent from, and acknowledged, at once. */
const maxKeptRecords = 128 * 1024;
const maxKeptSegments = 64;
const maxOpenFiles = 4;
const maxAttempts = 8;
/** A part of a file that cannot be read is passed over in steps of this. */
const pieceBytes = 4096;

export type ReadRecord = { readonly head: RecordHead; readonly payload: Uint8Array };

export type SegmentReader = {
  /** Without reading: `undefined` when it is not kept. */
  index(segment: Segment): SegmentIndex | undefined;
  /** From now on this is the index of a segment, which its writer made. */
  adopt(segment: Segment, index: SegmentIndex): void;
  /** Reads a segment to know where its records stand. `found` is called when it had to be read. Rejects when its file cannot be opened. */
  load(segment: Segment, found: (records: SegmentRecords) => void): Promise<SegmentIndex>;
  /** Records at places `from` to `to` (not included) of the index; `undefined` for one that cannot be read. */
  read(segment: Segment, index: SegmentIndex, from: number, to: number): Promise<readonly (ReadRecord | undefined)[]>;
  readPayload(segment: Segment, offset: number, payloadBytes: number): Promise<Uint8Array | undefined>;
  forget(segment: Segment): Promise<void>;
  close(): Promise<void>;
};

/** A disk that fails now and then must not make records look lost or gone. Rejects with the last error. */
export const openPatiently = async (disk: Disk, name: string): Promise<DiskFile> => {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await disk.open(name, false);
    } catch (error) {
      if (attempt === maxAttempts || isNoSuchFile(error)) throw error;
    }
};

/**
 * Reads a file into `into`; what cannot be read is zeros. Returns how many bytes, and how many of them are zeros for that reason. Rejects only
 * when the size cannot be known.
 */
export const readForgiving = async (
  file: DiskFile,
  at: number,
  size: number,
  into: Buffer,
): Promise<{ readonly bytes: Buffer; readonly unreadable: number }> => {
  try {
    const read = await file.read(at, size, into);
    return { bytes: Buffer.from(read.buffer, read.byteOffset, read.byteLength), unreadable: 0 };
  } catch {
    const bytes = into.subarray(0, size).fill(0);
    let unreadable = 0;
    for (let place = 0; place < size; place += pieceBytes)
      try {
        bytes.set(await file.read(at + place, Math.min(pieceBytes, size - place)), place);
      } catch {
        unreadable += 1;
      }
    return { bytes, unreadable: unreadable * pieceBytes };
  }
};

export const createSegmentReader = (disk: Disk, log: Log, rules: QueueRules): SegmentReader => {
  /** In the order of use, the latest last. */
  const kept = new Map<number, { index: SegmentIndex | undefined; file: DiskFile | undefined }>();

  const drop = async (ordinal: number): Promise<void> => {
    const file = kept.get(ordinal)?.file;
    kept.delete(ordinal);
    await file?.close().catch(() => undefined);
  };
  const use = (ordinal: number): { index: SegmentIndex | undefined; file: DiskFile | undefined } => {
    const one = kept.get(ordinal) ?? { index: undefined, file: undefined };
    kept.delete(ordinal);
    kept.set(ordinal, one);
    return one;
  };
  /** A file may be in use right now: those with one go only between reads. */
  const trim = async (mayClose: boolean): Promise<void> => {
    let records = 0;
    let files = 0;
    let segments = 0;
    for (const [ordinal, { index, file }] of [...kept].reverse()) {
      records += index?.count ?? 0;
      files += file ? 1 : 0;
      segments += 1;
      if (segments === 1 || (records <= maxKeptRecords && segments <= maxKeptSegments && files <= maxOpenFiles))
        continue;
      if (!file) kept.delete(ordinal);
      else if (!mayClose) continue;
      else if (records <= maxKeptRecords && segments <= maxKeptSegments) {
        kept.set(ordinal, { index, file: undefined });
        await file.close().catch(() => undefined);
      } else await drop(ordinal);
    }
  };
  const fileOf = async (segment: Segment): Promise<DiskFile> => {
    const one = use(segment.ordinal);
    one.file ??= await openPatiently(disk, segment.name);
    await trim(true);
    return one.file;
  };

  const read = async (segment: Segment, at: number, size: number): Promise<Buffer> => {
    const { bytes, unreadable } = await readForgiving(await fileOf(segment), at, size, Buffer.allocUnsafeSlow(size));
    if (unreadable > 0)
      log.error({ segment: segment.name, at, unreadable }, 'a part of the queue on disk cannot be read');
    return bytes;
  };

  return {
    index: (segment) => kept.get(segment.ordinal)?.index,
    adopt: (segment, index) => {
      use(segment.ordinal).index = index;
      void trim(false);
    },
    load: async (segment, found) => {
      const known = kept.get(segment.ordinal)?.index;
      if (known) {
        use(segment.ordinal);
        return known;
      }
      const index = newIndex(1024);
      let bytes: Buffer;
      try {
        bytes = await read(segment, 0, segment.fileBytes);
      } catch (error) {
        if (!isNoSuchFile(error)) throw error;
        bytes = Buffer.alloc(0);
      }
      const next = { epoch: segment.epoch, seq: segment.end.seq + 1 };
      const records = recoverSegment(bytes, segment, { end: segment.end, next }, index, rules);
      if (records.kind === 'segment') found(records);
      else found({ ...emptyOf(segment), index });
      use(segment.ordinal).index = index;
      return index;
    },
    read: async (segment, index, from, to) => {
      const start = index.offsets[from] ?? 0;
      const end = (index.offsets[to - 1] ?? 0) + recordHeadBytes + (index.payloadBytes[to - 1] ?? 0);
      const bytes = await read(segment, start, end - start);
      const records: (ReadRecord | undefined)[] = [];
      for (let at = from; at < to; at += 1) {
        const place = (index.offsets[at] ?? 0) - start;
        const head = isWholeRecord(bytes, place, segment.salt) ? readRecordHead(bytes, place) : undefined;
        const behind = place + recordHeadBytes;
        records.push(
          head?.seq === index.seqs[at]
            ? head && { head, payload: bytes.subarray(behind, behind + head.payloadBytes) }
            : undefined,
        );
      }
      return records;
    },
    readPayload: async (segment, offset, payloadBytes) => {
      const bytes = await read(segment, offset, recordBytes(payloadBytes));
      if (!isWholeRecord(bytes, 0, segment.salt)) return undefined;
      return bytes.subarray(recordHeadBytes, recordHeadBytes + payloadBytes);
    },
    forget: (segment) => drop(segment.ordinal),
    close: async () => {
      for (const ordinal of [...kept.keys()]) await drop(ordinal);
    },
  };
};

/** A segment of which nothing is left: all its records are missing. */
const emptyOf = (segment: Segment): Omit<SegmentRecords, 'index'> => ({
  ...{ kind: 'segment', header: undefined, ordinal: segment.ordinal, salt: segment.salt, epoch: segment.epoch },
  dictionaries: [],
  damage: [
    {
      ...{ fromByte: 0, toByte: segment.fileBytes, firstSeq: segment.firstSeq, lastSeq: segment.end.seq },
      ...{ records: segment.end.records, samples: Infinity, fromMs: segment.oldestMs, toMs: segment.newestMs },
    },
  ],
  ...{ endByte: 0, end: undefined, hasLeftovers: false, samples: 0, oldestMs: Infinity, newestMs: -Infinity },
});
