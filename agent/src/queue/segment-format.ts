/**
 * The header and the name of a segment (FORMAT.md has the table). A header that cannot be read is not the end of a segment: its ordinal and
 * salt stand in its name too.
 */
import { crc32 } from 'node:zlib';
import { readHostId, writeHostId } from '@thrum/actors/wire/host-id';
import type { Account } from './queue.ts';

export const segmentVersion = 1;
export const segmentHeaderBytes = 128;
/** A segment is not begun again beyond this; one record may make it longer. */
export const segmentBytes = 4 * 1024 * 1024;

const magic = Buffer.from('TSEG');
const namePattern = /^([0-9a-f]{16})-([0-9a-f]{8})\.seg$/;

/** The account without what is queued, which the records tell. */
export type Settled = Pick<Account, 'produced' | 'stored' | 'refused' | 'gap'>;

/** The last record of a segment that was known to be durable. */
export type SegmentEnd = {
  readonly ordinal: number;
  readonly seq: number;
  readonly total: number;
  readonly records: number;
};

export type SegmentHeader = {
  readonly host: string;
  readonly ordinal: number;
  readonly epoch: number;
  readonly salt: number;
  readonly firstSeq: number;
  readonly createdMs: number;
  readonly ageMs: number;
  readonly before: Settled;
  readonly previous: SegmentEnd | undefined;
};

export type HeaderFound =
  | { readonly kind: 'header'; readonly header: SegmentHeader; readonly headerBytes: number }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'damaged' };

export const segmentName = (ordinal: number, salt: number): string =>
  `${ordinal.toString(16).padStart(16, '0')}-${salt.toString(16).padStart(8, '0')}.seg`;

/** `undefined` when a file of this name is no segment. */
export const readSegmentName = (name: string): { readonly ordinal: number; readonly salt: number } | undefined => {
  const found = namePattern.exec(name);
  if (!found) return undefined;
  const ordinal = Number.parseInt(found[1] ?? '', 16);
  return Number.isSafeInteger(ordinal) ? { ordinal, salt: Number.parseInt(found[2] ?? '', 16) } : undefined;
};

export const writeSegmentHeader = (into: Buffer, header: SegmentHeader): void => {
  into.fill(0, 0, segmentHeaderBytes);
  into.set(magic, 0);
  into.writeUInt16LE(segmentVersion, 4);
  into.writeUInt16LE(segmentHeaderBytes, 6);
  writeHostId(into, 8, header.host);
  into.writeDoubleLE(header.ordinal, 24);
  into.writeUInt32LE(header.epoch, 32);
  into.writeUInt32LE(header.salt, 36);
  into.writeDoubleLE(header.firstSeq, 40);
  into.writeDoubleLE(header.createdMs, 48);
  into.writeDoubleLE(header.ageMs, 56);
  into.writeDoubleLE(header.before.produced, 64);
  into.writeDoubleLE(header.before.stored, 72);
  into.writeDoubleLE(header.before.refused, 80);
  into.writeDoubleLE(header.before.gap, 88);
  into.writeDoubleLE(header.previous?.ordinal ?? -1, 96);
  into.writeDoubleLE(header.previous?.seq ?? -1, 104);
  into.writeDoubleLE(header.previous?.total ?? -1, 112);
  into.writeUInt32LE(header.previous?.records ?? 0, 120);
  into.writeUInt32LE(crc32(into.subarray(0, 124)), 124);
};

/** What stands at the beginning of a segment's file, whatever that is. */
export const readSegmentHeader = (bytes: Buffer): HeaderFound => {
  if (bytes.length < segmentHeaderBytes || magic.compare(bytes, 0, 4) !== 0) return { kind: 'damaged' };
  if (crc32(bytes.subarray(0, 124)) !== bytes.readUInt32LE(124)) return { kind: 'damaged' };
  const version = bytes.readUInt16LE(4);
  if (version > segmentVersion) return { kind: 'newer', version };
  const read = readers[version];
  return read ? { kind: 'header', header: read(bytes), headerBytes: bytes.readUInt16LE(6) } : { kind: 'damaged' };
};

const readVersion1 = (bytes: Buffer): SegmentHeader => {
  const previous = bytes.readDoubleLE(96);
  return {
    host: readHostId(bytes, 8),
    ordinal: bytes.readDoubleLE(24),
    epoch: bytes.readUInt32LE(32),
    salt: bytes.readUInt32LE(36),
    firstSeq: bytes.readDoubleLE(40),
    createdMs: bytes.readDoubleLE(48),
    ageMs: bytes.readDoubleLE(56),
    before: {
      produced: bytes.readDoubleLE(64),
      stored: bytes.readDoubleLE(72),
      refused: bytes.readDoubleLE(80),
      gap: bytes.readDoubleLE(88),
    },
    previous:
      previous < 0
        ? undefined
        : {
            ordinal: previous,
            seq: bytes.readDoubleLE(104),
            total: bytes.readDoubleLE(112),
            records: bytes.readUInt32LE(120),
          },
  };
};

/** Every version this program reads. A new version adds a line and leaves the old ones. */
const readers: Readonly<Partial<Record<number, (bytes: Buffer) => SegmentHeader>>> = { 1: readVersion1 };
