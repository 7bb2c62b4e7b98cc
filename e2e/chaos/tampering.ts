/**
 * Harm done to the files of a queue whose agent is stopped, by the tables of `agent/src/queue/FORMAT.md` and with no code of the queue. Pure:
 * takes bytes, changes them in place, and says what was done; `undefined` when there is nothing to harm.
 *
 * Two kinds. Damage: bytes overwritten, checksums wrong; always before the last record of a segment, because nobody can tell a damaged last
 * record from one that was never written. Poison: a payload that nobody can read under checksums that are right.
 */
import { crc32 } from 'node:zlib';

const headerBytes = 128;
const headBytes = 64;
const recordMagic = 0xa5c3f00d;
const batchKind = 1;

type Place = { readonly at: number; readonly payloadBytes: number; readonly isBatch: boolean; readonly seq: number };

/** Whole records of a segment up to the first that is not. */
const placesOf = (bytes: Buffer, salt: number): Place[] => {
  const places: Place[] = [];
  for (let at = headerBytes; at + headBytes <= bytes.length;) {
    const payloadBytes = bytes.readUInt32LE(at + 12);
    const end = at + headBytes + payloadBytes;
    if (bytes.readUInt32LE(at) !== recordMagic || end > bytes.length) break;
    if (crc32(bytes.subarray(at + 8, end), salt) !== bytes.readUInt32LE(at + 4)) break;
    places.push({ at, payloadBytes, isBatch: bytes.readUInt8(at + 8) === batchKind, seq: bytes.readDoubleLE(at + 24) });
    at = (end + 7) & ~7;
  }
  return places;
};

/** The salt of a segment, which stands in its name. */
export const saltOf = (name: string): number | undefined => {
  const found = /^[0-9a-f]{16}-([0-9a-f]{8})\.seg$/.exec(name)?.[1];
  return found === undefined ? undefined : Number.parseInt(found, 16);
};

const below = (random: () => number, end: number): number => Math.floor(random() * end);

/** So many of the last records are likely not acknowledged yet. */
const late = 6;

/** Overwrites up to 64 bytes: mostly of a late record, else of the header, a dictionary or any record before the last. */
export const damageSegment = (bytes: Buffer, salt: number, random: () => number): string | undefined => {
  const places = placesOf(bytes, salt);
  const last = places.at(-1);
  if (!last || places.length < 3) return undefined;
  const choice = random();
  const lateOnes = places.slice(-late, -1);
  const one = lateOnes[below(random, lateOnes.length)];
  const [from, to] =
    choice < 0.6 && one
      ? [one.at, one.at + headBytes + one.payloadBytes]
      : choice < 0.75
        ? [0, headerBytes]
        : [0, last.at];
  const begin = from + below(random, to - from);
  const end = Math.min(last.at, begin + 1 + below(random, 64));
  for (let at = begin; at < end; at += 1) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + below(random, 255)), at);
  return `bytes ${begin} to ${end - 1} of ${bytes.length} overwritten`;
};

/** Makes one of the last batches unreadable for whom it is sent to, with checksums that are right. */
export const poisonSegment = (bytes: Buffer, salt: number, random: () => number): string | undefined => {
  const batches = placesOf(bytes, salt)
    .filter(({ isBatch }) => isBatch)
    .slice(-late);
  const one = batches[below(random, batches.length)];
  if (!one) return undefined;
  const payload = one.at + headBytes;
  bytes.fill(0xee, payload, payload + Math.min(8, one.payloadBytes));
  bytes.writeUInt32LE(crc32(bytes.subarray(one.at + 8, payload + one.payloadBytes), salt), one.at + 4);
  return `batch ${one.seq} made unreadable`;
};

/** Overwrites some bytes of what is used of a checkpoint. */
export const damageCheckpoint = (bytes: Buffer, random: () => number): string | undefined => {
  if (bytes.length < 168) return undefined;
  const at = below(random, 168);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + below(random, 255)), at);
  return `byte ${at} of a checkpoint overwritten`;
};
