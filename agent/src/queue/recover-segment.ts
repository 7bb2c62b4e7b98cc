/**
 * What is in the bytes of a segment, whatever happened to them: its records, what is missing between them, what is torn at the end. Pure, never
 * throws, and linear in time: every head is checked once, payloads that are looked at do not overlap.
 *
 * A stretch is missing where the numbers of the records on both sides say so; their running totals say how many samples it had.
 */
import { crc32 } from 'node:zlib';
import type { Position } from './queue.ts';
import { isWholeHead, maxPayloadBytes, recordBytes, recordHeadBytes, recordKinds, recordMagic } from './record.ts';
import { rules as allRules, type QueueRules } from './rules.ts';
import { addToIndex, newIndex, type SegmentIndex } from './segment-index.ts';
import { readSegmentHeader, segmentHeaderBytes, type SegmentEnd, type SegmentHeader } from './segment-format.ts';

/** Records that were in the segment and cannot be read. All numbers are exact but for what is said beside them. */
export type Damage = {
  readonly fromByte: number;
  readonly toByte: number;
  /** The sequence numbers between the neighbors: there may be fewer records than numbers. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly records: number;
  readonly samples: number;
  /** Times of the neighbors. */
  readonly fromMs: number;
  readonly toMs: number;
};

/** What others know of a segment. */
export type Known = {
  /** The last record that was durable: from the header of the segment behind it, or from the checkpoint. */
  readonly end?: SegmentEnd | undefined;
  /** Where the segment behind it begins. */
  readonly next?: Position | undefined;
  /** The end of the segment before, for a segment whose header is damaged. */
  readonly total?: number | undefined;
};

export type SegmentRecords = {
  readonly kind: 'segment';
  /** `undefined` when it is damaged. */
  readonly header: SegmentHeader | undefined;
  readonly ordinal: number;
  readonly salt: number;
  readonly epoch: number;
  readonly index: SegmentIndex;
  readonly dictionaries: readonly DictionaryPlace[];
  /** Stretches of bytes that are no records, whether or not records are missing there. */
  readonly damage: readonly Damage[];
  /** Behind the last record that was read. */
  readonly endByte: number;
  /** The last record that was read. */
  readonly end: SegmentEnd | undefined;
  /** Behind its end stand records that count elsewhere. */
  readonly hasLeftovers: boolean;
  /** Samples in the records that were read. */
  readonly samples: number;
  readonly oldestMs: number;
  readonly newestMs: number;
};

export type DictionaryPlace = { readonly hash: string; readonly offset: number; readonly payloadBytes: number };

export type SegmentFound =
  | SegmentRecords
  | { readonly kind: 'newer'; readonly version: number }
  /** Not one record and no header. */
  | { readonly kind: 'unreadable' };

const magic = Buffer.alloc(4);
magic.writeUInt32LE(recordMagic);

/** The place of the next head that is whole, from `at` on; the end of the bytes when there is none. */
const findHead = (bytes: Buffer, at: number, salt: number): number => {
  let place = bytes.indexOf(magic, at);
  while (place >= 0 && !isWholeHead(bytes, place, salt)) place = bytes.indexOf(magic, place + 1);
  return place < 0 ? bytes.length : place;
};

/** `index` is written anew; with one given, nothing is allocated per record. */
export const recoverSegment = (
  bytes: Buffer,
  name: { readonly ordinal: number; readonly salt: number },
  known: Known = {},
  index: SegmentIndex = newIndex(),
  rules: Pick<QueueRules, 'isNextRecord' | 'isWrittenAgain' | 'samplesBetween'> = allRules,
): SegmentFound => {
  const found = readSegmentHeader(bytes);
  if (found.kind === 'newer') return found;
  const header = found.kind === 'header' ? found.header : undefined;
  const { ordinal, salt } = header ?? name;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length;
  const damage: Damage[] = [];
  const dictionaries: DictionaryPlace[] = [];
  const last = { epoch: header?.epoch ?? -1, number: -1, seq: -1, total: header?.before.produced ?? known.total ?? -1 };
  if (header) last.seq = header.firstSeq - 1;
  let lastMs = header?.createdMs ?? 0;
  let isFirst = true;
  let samplesRead = 0;
  let oldestMs = Infinity;
  let newestMs = -Infinity;
  let at = found.kind === 'header' ? found.headerBytes : segmentHeaderBytes;
  let endByte = Math.min(at, size);
  let hasLeftovers = false;
  let badFrom = found.kind === 'header' ? -1 : 0;
  index.count = 0;

  while (at + recordHeadBytes <= size) {
    const payload = view.getUint32(at + 12, true);
    const end = at + recordHeadBytes + payload;
    const isWhole =
      view.getUint32(at, true) === recordMagic &&
      end <= size &&
      crc32(bytes.subarray(at + 8, end), salt) === view.getUint32(at + 4, true);
    if (!isWhole) {
      if (badFrom < 0) badFrom = at;
      const isHead = isWholeHead(bytes, at, salt) && end <= size;
      at = isHead ? at + recordBytes(payload) : findHead(bytes, at + 1, salt);
      continue;
    }
    const kind = view.getUint8(at + 8);
    const head = {
      number: view.getUint32(at + 16, true),
      epoch: view.getUint32(at + 20, true),
      seq: view.getFloat64(at + 24, true),
      total: view.getFloat64(at + 40, true),
    };
    if (last.epoch < 0) last.epoch = head.epoch;
    if (rules.isWrittenAgain(head, known.next)) {
      hasLeftovers = true;
      break;
    }
    if (kind === recordKinds.dictionary && payload <= maxPayloadBytes.dictionary && head.epoch === last.epoch) {
      const hash = bytes.toString('hex', at + 48, at + 56);
      dictionaries.push({ hash, offset: at, payloadBytes: payload });
    } else if (rules.isNextRecord(head, last) && (kind === recordKinds.batch || kind === recordKinds.events)) {
      const samples = view.getUint32(at + 56, true);
      const timeMs = view.getFloat64(at + 32, true);
      if (badFrom >= 0 || head.number !== last.number + 1) {
        const after = { total: head.total, samples };
        damage.push({
          fromByte: badFrom < 0 ? at : badFrom,
          toByte: at,
          firstSeq: isFirst && !header ? head.seq - (head.number - last.number - 1) : last.seq + 1,
          lastSeq: head.seq - 1,
          records: head.number - last.number - 1,
          samples: head.number === last.number + 1 || last.total < 0 ? 0 : rules.samplesBetween(last.total, after),
          fromMs: isFirst ? timeMs : lastMs,
          toMs: timeMs,
        });
      }
      badFrom = -1;
      isFirst = false;
      last.number = head.number;
      last.seq = head.seq;
      last.total = head.total;
      lastMs = timeMs;
      samplesRead += samples;
      if (timeMs < oldestMs) oldestMs = timeMs;
      if (timeMs > newestMs) newestMs = timeMs;
      addToIndex(index, head.seq, timeMs, at, payload, samples);
    } else if (badFrom < 0) badFrom = at; // a record of elsewhere, or one that stood here before
    at += recordBytes(payload);
    if (badFrom < 0) endByte = Math.min(at, size);
  }
  if (!header && index.count === 0) return { kind: 'unreadable' };
  const { end } = known;
  if (end?.ordinal === ordinal && end.records > last.number + 1)
    damage.push({
      fromByte: endByte,
      toByte: size,
      firstSeq: last.seq + 1,
      lastSeq: end.seq,
      records: end.records - last.number - 1,
      samples: last.total < 0 ? 0 : Math.max(0, end.total - last.total),
      fromMs: lastMs,
      toMs: lastMs,
    });
  return {
    ...{ kind: 'segment', header, ordinal, salt, epoch: last.epoch, index, dictionaries, damage, endByte },
    end: index.count > 0 ? { ordinal, seq: last.seq, total: last.total, records: last.number + 1 } : undefined,
    ...{ hasLeftovers, samples: samplesRead, oldestMs, newestMs },
  };
};
