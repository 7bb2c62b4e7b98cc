/** Dictionaries of the records in the queue: those of this process are kept, others are read from a segment that holds them. */
import { dictionaryHash, type Dictionary, type WireTarget } from '@thrum/actors/wire/dictionary';
import { isNoSuchFile } from './disk-error.ts';
import { recordBytes } from './record.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { Segment } from './segment.ts';

/** An agent has one at a time; others are of versions before. Each takes some 10 KB. */
const maxKept = 8;

export type Dictionaries = {
  add(dictionary: Dictionary): void;
  get(hash: string): Dictionary | undefined;
  /** Also from disk; only between other reads. Rejects when it may be there and cannot be read now; `undefined` when it is nowhere. */
  find(hash: string): Promise<Dictionary | undefined>;
  /** About how many bytes it takes in a segment. */
  bytesOf(dictionary: Dictionary | undefined): number;
};

const parse = (hash: string, payload: Uint8Array): Dictionary | undefined => {
  try {
    const { targets } = JSON.parse(Buffer.from(payload).toString('utf8')) as { targets: readonly WireTarget[] };
    return dictionaryHash(targets) === hash ? { hash, targets } : undefined;
  } catch {
    return undefined; // no JSON, or of another form
  }
};

export const createDictionaries = (segments: readonly Segment[], reader: SegmentReader): Dictionaries => {
  const kept = new Map<string, { dictionary: Dictionary; bytes: number }>();
  const add = (dictionary: Dictionary): void => {
    if (kept.has(dictionary.hash)) return;
    kept.set(dictionary.hash, { dictionary, bytes: recordBytes(JSON.stringify(dictionary).length) });
    for (const hash of kept.keys()) if (kept.size > maxKept && hash !== dictionary.hash) kept.delete(hash);
  };
  const get = (hash: string): Dictionary | undefined => kept.get(hash)?.dictionary;
  return {
    add,
    get,
    find: async (hash) => {
      const known = get(hash);
      if (known) return known;
      let failure: { readonly error: unknown } | undefined;
      for (const segment of segments.toReversed()) {
        const place = segment.dictionaries.find((one) => one.hash === hash);
        if (!place) continue;
        const payload = await reader.readPayload(segment, place.offset, place.payloadBytes).catch((error: unknown) => {
          if (!isNoSuchFile(error)) failure = { error };
          return undefined;
        });
        const dictionary = payload && parse(hash, payload);
        if (!dictionary) continue;
        add(dictionary);
        return dictionary;
      }
      if (failure) throw failure.error;
      return undefined;
    },
    bytesOf: (dictionary) => (dictionary && kept.get(dictionary.hash)?.bytes) ?? 0,
  };
};
