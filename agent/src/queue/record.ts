/**
 * One record of a segment, as bytes (FORMAT.md has the table). Two checksums, both begun with the segment's salt: one of the whole, one of the
 * head alone, so that a search for records after damage stays linear and the head of a damaged payload still says which record it was.
 */
import { crc32 } from 'node:zlib';
import { limits } from '@thrum/actors/wire/limits';

export const recordMagic = 0xa5c3f00d;
export const recordHeadBytes = 64;

export const recordKinds = { batch: 1, events: 2, dictionary: 3 } as const;
export type RecordKind = keyof typeof recordKinds;

/** Largest payload of each kind. */
export const maxPayloadBytes: Readonly<Record<RecordKind, number>> = {
  batch: limits.maxBatchBytes,
  events: limits.maxEventsBytes,
  dictionary: limits.maxDictionaryBytes,
};

const kindOf = (code: number): RecordKind | undefined =>
  code === 1 ? 'batch' : code === 2 ? 'events' : code === 3 ? 'dictionary' : undefined;

export type RecordHead = {
  readonly kind: RecordKind;
  readonly payloadBytes: number;
  /** Batches and events of the segment before it. */
  readonly number: number;
  readonly epoch: number;
  readonly seq: number;
  readonly timeMs: number;
  /** Samples produced since the queue was made, with those of this record. */
  readonly total: number;
  /** 16 hexadecimal digits; empty for events. */
  readonly dictionary: string;
  readonly samples: number;
};

/** Bytes a record takes in a segment. */
export const recordBytes = (payloadBytes: number): number => (recordHeadBytes + payloadBytes + 7) & ~7;

/** Writes a record at a place in `into`, which has room for it. Returns the place behind it. */
export const writeRecord = (
  into: Buffer,
  at: number,
  head: Omit<RecordHead, 'payloadBytes'>,
  payload: Uint8Array,
  salt: number,
): number => {
  if (payload.length > maxPayloadBytes[head.kind])
    throw new Error(`BUG: ${head.kind} of ${payload.length} bytes, at most ${maxPayloadBytes[head.kind]} fit a record`);
  into.fill(0, at, at + recordHeadBytes);
  into.writeUInt32LE(recordMagic, at);
  into.writeUInt8(recordKinds[head.kind], at + 8);
  into.writeUInt32LE(payload.length, at + 12);
  into.writeUInt32LE(head.number, at + 16);
  into.writeUInt32LE(head.epoch, at + 20);
  into.writeDoubleLE(head.seq, at + 24);
  into.writeDoubleLE(head.timeMs, at + 32);
  into.writeDoubleLE(head.total, at + 40);
  into.write(head.dictionary, at + 48, 8, 'hex');
  into.writeUInt32LE(head.samples, at + 56);
  into.writeUInt32LE(crc32(into.subarray(at + 8, at + 60), salt), at + 60);
  const end = at + recordHeadBytes + payload.length;
  into.set(payload, at + recordHeadBytes);
  into.writeUInt32LE(crc32(into.subarray(at + 8, end), salt), at + 4);
  const behind = at + recordBytes(payload.length);
  into.fill(0, end, behind);
  return behind;
};

/** True when the whole record that begins here is as it was written; its head may not have been looked at. */
export const isWholeRecord = (bytes: Buffer, at: number, salt: number): boolean => {
  if (at + recordHeadBytes > bytes.length || bytes.readUInt32LE(at) !== recordMagic) return false;
  const end = at + recordHeadBytes + bytes.readUInt32LE(at + 12);
  return end <= bytes.length && crc32(bytes.subarray(at + 8, end), salt) === bytes.readUInt32LE(at + 4);
};

/** True when the head that stands here is as it was written, whatever became of the payload. */
export const isWholeHead = (bytes: Buffer, at: number, salt: number): boolean =>
  at + recordHeadBytes <= bytes.length &&
  bytes.readUInt32LE(at) === recordMagic &&
  crc32(bytes.subarray(at + 8, at + 60), salt) === bytes.readUInt32LE(at + 60);

/** Reads a head whose checksum was found right; `undefined` when it still makes no sense. */
export const readRecordHead = (bytes: Buffer, at: number): RecordHead | undefined => {
  const kind = kindOf(bytes.readUInt8(at + 8));
  const payloadBytes = bytes.readUInt32LE(at + 12);
  if (!kind || payloadBytes > maxPayloadBytes[kind]) return undefined;
  return {
    kind,
    payloadBytes,
    number: bytes.readUInt32LE(at + 16),
    epoch: bytes.readUInt32LE(at + 20),
    seq: bytes.readDoubleLE(at + 24),
    timeMs: bytes.readDoubleLE(at + 32),
    total: bytes.readDoubleLE(at + 40),
    dictionary: kind === 'events' ? '' : bytes.toString('hex', at + 48, at + 56),
    samples: bytes.readUInt32LE(at + 56),
  };
};
