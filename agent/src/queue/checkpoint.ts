/**
 * A checkpoint as bytes (FORMAT.md has the table): what of the queue is settled. Pure. Gaps and removed segments always fit, because whoever
 * keeps them keeps no more than these bounds; settled ranges that do not fit are left out together with their samples, which only means that
 * after a crash those records are sent again.
 */
import { crc32 } from 'node:zlib';
import { readHostId, writeHostId } from '@thrum/actors/wire/host-id';
import type { GapReason } from '@thrum/actors/wire/events';
import type { Gap, Position } from './queue.ts';
import type { SegmentEnd } from './segment-format.ts';

export const checkpointVersion = 1;
export const checkpointBytes = 64 * 1024;
export const checkpointNames = ['checkpoint-a', 'checkpoint-b'] as const;
/** Raising it costs room for settled ranges. */
export const maxGaps = 256;
/** Segments that are settled and whose files may still be there. More removals wait. */
export const maxRemoved = 1024;

const magic = Buffer.from('TCKP');
const fixedBytes = 168;
const gapBytes = 72;
const rangeBytes = 48;
const cleanFlag = 1;
const tellingMagic = Buffer.from('TGAP');
const tellingHeadBytes = 16;
const tellingBytes = 16;
const closedFlag = 1;
const toldFlag = 2;
const reasons: readonly GapReason[] = ['full', 'age', 'damaged', 'unclean', 'disk', 'unreadable'];

/** Records of one segment that are settled: their samples are stored, refused or lost, and not queued any more. */
export type SettledRange = {
  readonly ordinal: number;
  readonly from: number;
  readonly to: number;
  readonly stored: number;
  readonly refused: number;
  readonly gap: number;
};

/** A gap and the epoch of the process that found it. */
export type KeptGap = Omit<Gap, 'id'> & { readonly foundIn: number };

/** A gap on its way to the store. */
export type HeldGap = {
  readonly gap: KeptGap;
  /** It may have been told, and never changes again. */
  readonly isClosed: boolean;
  /** The record of this queue that tells it. */
  readonly toldIn: Position | undefined;
};

export type Checkpoint = {
  readonly host: string;
  readonly generation: number;
  readonly isClean: boolean;
  readonly writtenMs: number;
  readonly ageMs: number;
  readonly lastEpoch: number;
  /** Samples of all that is in no living segment. */
  readonly settled: { readonly stored: number; readonly refused: number; readonly gap: number };
  readonly newestMs: number | undefined;
  /** Wall clock when the process that wrote it opened the queue. */
  readonly openedMs: number;
  /** The newest record known to be durable. */
  readonly end: (SegmentEnd & { readonly epoch: number }) | undefined;
  readonly produced: number;
  readonly nextOrdinal: number;
  readonly gaps: readonly HeldGap[];
  readonly removed: readonly number[];
  readonly ranges: readonly SettledRange[];
};

export type CheckpointFound =
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'damaged' };

/** Unique among the gaps of a host for ever: what is given up lies between numbers of its own, or was noticed by one process. */
export const gapId = ({ reason, epoch, firstSeq, lastSeq, foundIn }: KeptGap): string =>
  lastSeq < firstSeq ? `${reason}-${epoch}-${firstSeq}-in-${foundIn}` : `${reason}-${epoch}-${firstSeq}-${lastSeq}`;

/**
 * Writes a checkpoint at the beginning of `into` (`checkpointBytes` long). Returns the bytes used and how many ranges found no room: the last
 * ones of the list are left out, and their samples with them.
 */
export const writeCheckpoint = (into: Buffer, one: Checkpoint): { readonly used: number; readonly leftOut: number } => {
  if (one.gaps.length > maxGaps || one.removed.length > maxRemoved)
    throw new Error(`BUG: a checkpoint of ${one.gaps.length} gaps and ${one.removed.length} removed segments`);
  const tellings = (tellingHeadBytes + one.gaps.length * tellingBytes + 7) & ~7;
  const room = checkpointBytes - fixedBytes - one.gaps.length * gapBytes - tellings - one.removed.length * 8;
  const ranges = one.ranges.slice(0, Math.floor(room / rangeBytes));
  into.fill(0, 0, fixedBytes);
  into.set(magic, 0);
  into.writeUInt16LE(checkpointVersion, 4);
  into.writeUInt16LE(one.isClean ? cleanFlag : 0, 6);
  writeHostId(into, 16, one.host);
  into.writeUInt32LE(one.lastEpoch, 56);
  into.writeUInt32LE(one.end?.records ?? 0, 120);
  into.writeUInt32LE(one.end?.epoch ?? 0, 124);
  into.writeUInt32LE(one.gaps.length, 144);
  into.writeUInt32LE(one.removed.length, 148);
  into.writeUInt32LE(ranges.length, 152);
  const numbers = (at: number, values: readonly number[]): number =>
    values.reduce((place, value) => into.writeDoubleLE(value, place), at);
  numbers(32, [one.generation, one.writtenMs, one.ageMs]);
  numbers(64, [one.settled.stored, one.settled.refused, one.settled.gap, one.newestMs ?? Number.NaN]);
  numbers(96, [one.end?.ordinal ?? -1, one.end?.seq ?? -1, one.end?.total ?? -1]);
  numbers(128, [one.produced, one.nextOrdinal]);
  numbers(160, [one.openedMs]);
  let at = fixedBytes;
  for (const { gap } of one.gaps) {
    into.fill(0, at, at + 16);
    into.writeUInt32LE(gap.epoch, at);
    into.writeUInt8(reasons.indexOf(gap.reason), at + 4);
    into.writeUInt32LE(gap.foundIn, at + 8);
    at = numbers(at + 16, [gap.firstSeq, gap.lastSeq, gap.batches, gap.samples, gap.bytes, gap.fromMs, gap.toMs]);
  }
  at = numbers(at, one.removed);
  for (const { ordinal, from, to, stored, refused, gap } of ranges)
    at = numbers(at, [ordinal, from, to, stored, refused, gap]);
  into.writeUInt32LE(at, 8);
  into.writeUInt32LE(checksum(into, at), 12);
  return { used: writeTellings(into, at, one.gaps), leftOut: one.ranges.length - ranges.length };
};

/** Behind what a program reads that knows nothing of it. Returns the place behind it. */
const writeTellings = (into: Buffer, used: number, gaps: readonly HeldGap[]): number => {
  const begin = (used + 7) & ~7;
  into.fill(0, used, begin + tellingHeadBytes);
  into.set(tellingMagic, begin);
  into.writeUInt32LE(gaps.length, begin + 8);
  let at = begin + tellingHeadBytes;
  for (const { isClosed, toldIn } of gaps) {
    into.writeUInt32LE((isClosed ? closedFlag : 0) | (toldIn ? toldFlag : 0), at);
    into.writeUInt32LE(toldIn?.epoch ?? 0, at + 4);
    into.writeDoubleLE(toldIn?.seq ?? 0, at + 8);
    at += tellingBytes;
  }
  into.writeUInt32LE(crc32(into.subarray(begin + 8, at), into.readUInt32LE(12)), begin + 4);
  return at;
};

/** Without them, or with those of another checkpoint, each gap may have been told and is told again. */
const readTellings = (bytes: Buffer, used: number, gaps: readonly KeptGap[]): readonly HeldGap[] => {
  const begin = (used + 7) & ~7;
  const end = begin + tellingHeadBytes + gaps.length * tellingBytes;
  const isThere =
    end <= bytes.length &&
    tellingMagic.compare(bytes, begin, begin + 4) === 0 &&
    bytes.readUInt32LE(begin + 8) === gaps.length &&
    crc32(bytes.subarray(begin + 8, end), bytes.readUInt32LE(12)) === bytes.readUInt32LE(begin + 4);
  return gaps.map((gap, i) => {
    const at = begin + tellingHeadBytes + i * tellingBytes;
    const flags = isThere ? bytes.readUInt32LE(at) : closedFlag;
    const isTold = (flags & toldFlag) !== 0;
    const toldIn = isTold ? { epoch: bytes.readUInt32LE(at + 4), seq: bytes.readDoubleLE(at + 8) } : undefined;
    return { gap, isClosed: (flags & closedFlag) !== 0, toldIn };
  });
};

const checksum = (bytes: Buffer, used: number): number => crc32(bytes.subarray(16, used), crc32(bytes.subarray(0, 12)));

/** What stands in a checkpoint's file, whatever that is. */
export const readCheckpoint = (bytes: Buffer): CheckpointFound => {
  if (bytes.length < fixedBytes || magic.compare(bytes, 0, 4) !== 0) return { kind: 'damaged' };
  const used = bytes.readUInt32LE(8);
  if (used < 16 || used > bytes.length || checksum(bytes, used) !== bytes.readUInt32LE(12)) return { kind: 'damaged' };
  const version = bytes.readUInt16LE(4);
  if (version > checkpointVersion) return { kind: 'newer', version };
  const checkpoint = readers[version]?.(bytes, used);
  return checkpoint ? { kind: 'checkpoint', checkpoint } : { kind: 'damaged' };
};

const readVersion1 = (bytes: Buffer, used: number): Checkpoint | undefined => {
  const gapCount = bytes.readUInt32LE(144);
  const removedCount = bytes.readUInt32LE(148);
  const rangeCount = bytes.readUInt32LE(152);
  if (used !== fixedBytes + gapCount * gapBytes + removedCount * 8 + rangeCount * rangeBytes) return undefined;
  const number = (at: number): number => bytes.readDoubleLE(at);
  const newestMs = number(88);
  const gaps: KeptGap[] = [];
  let at = fixedBytes;
  for (let i = 0; i < gapCount; i += 1, at += gapBytes)
    gaps.push({
      epoch: bytes.readUInt32LE(at),
      reason: reasons[bytes.readUInt8(at + 4)] ?? 'damaged',
      foundIn: bytes.readUInt32LE(at + 8),
      firstSeq: number(at + 16),
      lastSeq: number(at + 24),
      batches: number(at + 32),
      samples: number(at + 40),
      bytes: number(at + 48),
      fromMs: number(at + 56),
      toMs: number(at + 64),
    });
  const removed: number[] = [];
  for (let i = 0; i < removedCount; i += 1, at += 8) removed.push(number(at));
  const ranges: SettledRange[] = [];
  for (let i = 0; i < rangeCount; i += 1, at += rangeBytes)
    ranges.push({
      ordinal: number(at),
      from: number(at + 8),
      to: number(at + 16),
      stored: number(at + 24),
      refused: number(at + 32),
      gap: number(at + 40),
    });
  const endOrdinal = number(96);
  return {
    host: readHostId(bytes, 16),
    generation: number(32),
    isClean: (bytes.readUInt16LE(6) & cleanFlag) !== 0,
    writtenMs: number(40),
    ageMs: number(48),
    lastEpoch: bytes.readUInt32LE(56),
    settled: { stored: number(64), refused: number(72), gap: number(80) },
    newestMs: Number.isNaN(newestMs) ? undefined : newestMs,
    openedMs: number(160),
    end:
      endOrdinal < 0
        ? undefined
        : {
            ordinal: endOrdinal,
            epoch: bytes.readUInt32LE(124),
            seq: number(104),
            total: number(112),
            records: bytes.readUInt32LE(120),
          },
    produced: number(128),
    nextOrdinal: number(136),
    gaps: readTellings(bytes, used, gaps),
    removed,
    ranges,
  };
};

/** Every version this program reads. A new version adds a line and leaves the old ones. */
const readers: Readonly<Partial<Record<number, (bytes: Buffer, used: number) => Checkpoint | undefined>>> = {
  1: readVersion1,
};
