/**
 * The last minutes at full detail, for who starts to watch: batches as they were encoded, ten at a time compressed together (they repeat
 * each other: 3 bytes per value instead of 9). Bounded by age and by bytes; the oldest group goes first.
 */
import { zstdCompressSync, constants } from 'node:zlib';
import type { RecentAnswer } from '@thrum/actors/wire/ingest-to-agent';
import { limits } from '@thrum/actors/wire/limits';

const groupBatches = 10;
/** A group of large batches is closed earlier, so that no part of an answer is larger than a batch may be. */
const groupBytes = 512 * 1024;
/** What a very busy host may keep; a usual one needs 1 to 2 MiB. */
export const maxRecentBytes = 8 * 1024 * 1024;
/** As many groups as an answer may have, less the open one. */
const maxGroups = 2000;
const options = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

type Group = { readonly bytes: Uint8Array<ArrayBuffer>; readonly lastMs: number };

export type Recent = {
  add(batch: Uint8Array, timeMs: number): void;
  /** Groups that reach past `sinceMs`. */
  answer(sinceMs: number): RecentAnswer;
  bytes(): number;
};

const frame = (batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(batches.reduce((sum, one) => sum + 4 + one.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const one of batches) {
    view.setUint32(at, one.length, true);
    bytes.set(one, at + 4);
    at += 4 + one.length;
  }
  return bytes;
};

export const createRecent = (dictionary: string, maxBytes = maxRecentBytes): Recent => {
  let groups: Group[] = [];
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let keptBytes = 0;
  let lastMs = 0;

  const closeGroup = (): void => {
    const bytes = zstdCompressSync(frame(open), options);
    groups.push({ bytes, lastMs });
    keptBytes += bytes.length;
    open = [];
    openBytes = 0;
  };

  const forget = (): void => {
    let gone = 0;
    for (const group of groups) {
      const isOld = group.lastMs < lastMs - limits.recentMs;
      if (!isOld && keptBytes + openBytes <= maxBytes && groups.length - gone <= maxGroups) break;
      keptBytes -= group.bytes.length;
      gone += 1;
    }
    if (gone > 0) groups = groups.slice(gone);
  };

  return {
    add: (batch, timeMs) => {
      if (openBytes + batch.length > groupBytes && open.length > 0) closeGroup();
      open.push(batch);
      openBytes += batch.length;
      lastMs = timeMs;
      if (open.length >= groupBatches) closeGroup();
      forget();
    },
    answer: (sinceMs) => {
      const wanted = groups.filter((group) => group.lastMs >= sinceMs);
      return {
        dictionary,
        groups: [
          ...wanted.map(({ bytes }) => ({ encoding: 'zstd' as const, bytes })),
          ...(open.length > 0 && lastMs >= sinceMs ? [{ encoding: 'plain' as const, bytes: frame(open) }] : []),
        ],
      };
    },
    bytes: () => keptBytes + openBytes,
  };
};
