/**
 * Takes one agent's batches apart. It keeps the dictionaries the agent uses (an older one too, while its queue still holds batches from
 * before an upgrade) and with each the shape of the last batch, so that an unchanged shape is not parsed again.
 */
import { decodeBatch, type Batch, type ShapeMemory } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';

const maxDictionaries = 8;

type Known = { readonly dictionary: Dictionary; memory: ShapeMemory };

export class BatchReader {
  #find: (hash: string) => Dictionary | undefined;
  #known: Known[] = [];

  /** `find` knows the dictionaries that other agents, or this one on earlier connections, have declared. */
  constructor(find: (hash: string) => Dictionary | undefined) {
    this.#find = find;
  }

  /** The agent uses this one from now on; of many the one not used for longest is let go. */
  know(dictionary: Dictionary): Known {
    const known: Known = { dictionary, memory: undefined };
    this.#known = [known, ...this.#known.filter((one) => one.dictionary.hash !== dictionary.hash)];
    this.#known.length = Math.min(this.#known.length, maxDictionaries);
    return known;
  }

  read(bytes: Uint8Array): Batch | Refusal {
    let refusal: Refusal = refuse('unknown-dictionary');
    for (const known of this.#known) {
      const batch = decodeWith(known, bytes);
      if (!('code' in batch)) return batch;
      refusal = batch;
      if (refusal.code !== 'unknown-dictionary') return refusal;
    }
    const { code, detail } = this.#known.length === 0 ? headerRefusal(bytes) : refusal;
    const declared = code === 'unknown-dictionary' ? this.#find(detail) : undefined;
    return declared ? decodeWith(this.know(declared), bytes) : refuse(code, detail);
  }
}

const decodeWith = (known: Known, bytes: Uint8Array): Batch | Refusal => {
  const decoded = decodeBatch(bytes, known.dictionary, known.memory);
  if (!decoded.ok) return decoded;
  known.memory = decoded.memory;
  return decoded.batch;
};

/** What is wrong with a batch before any dictionary is known; at best its dictionary's name is in the detail. */
const headerRefusal = (bytes: Uint8Array): Refusal => {
  const decoded = decodeBatch(bytes, { hash: '', targets: [] });
  return decoded.ok ? refuse('malformed') : decoded;
};
