/**
 * One presence document: the only file that knows Yjs. It is a row of short texts (`lines.ts`) that its single writer only ever appends to;
 * what it says is what the last text about each thing says. Hence the number of texts and one hash over them say all about its state, and an update
 * can be judged whole before it is applied. The row lies in parts of `textsPerPart`, each a Y.Array of its own that Yjs keeps as one item: it copies
 * that item for every append (actors/decisions/0001-a-log-in-yjs.md).
 *
 * Invariants: one client id, that of the name; no deletions; texts are numbered from 0 without gaps, and the number says in which part a text
 * stands; nothing malformed is ever applied.
 */
import * as Y from 'yjs';
import { clientIdOf, writeName } from './document-name.ts';
import type { DocumentName } from './document-name.ts';
import { hashHex, hashOn, noHash } from './text-hash.ts';
import type { Hash64 } from './text-hash.ts';

/** Raising it saves about 1 KB per part, and costs at every append the copying of as many references. Part of what nodes must agree on. */
const textsPerPart = 256;
const partOf = (at: number): number => Math.floor(at / textsPerPart);
const partName = (part: number): string => `log/${part}`;

/** Texts `from` up to but not including `to`; `hash` is of the whole document up to `to`. */
export type DocumentUpdate = {
  readonly from: number;
  readonly to: number;
  readonly hash: string;
  readonly bytes: Uint8Array;
};

export type Inspection =
  | { readonly ok: true; readonly texts: readonly string[]; readonly hash: Hash64 }
  | { readonly ok: false; readonly reason: 'malformed' | 'gap' | 'other-content' };

const malformed = { ok: false, reason: 'malformed' } as const;

/** The texts of one struct, when it is what the writer would have appended at `clock`. */
const textsOf = (struct: Y.Item | Y.GC | { readonly length: number }, client: number, clock: number): string[] => {
  if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentAny)) throw new TypeError('no appended text');
  const { id, origin, rightOrigin, parent, parentSub } = struct;
  const place = clock % textsPerPart;
  const continues =
    place === 0
      ? origin === null && (parent as unknown) === partName(partOf(clock))
      : origin !== null && origin.client === client && origin.clock === clock - 1;
  if (id.client !== client || id.clock !== clock || !continues || rightOrigin !== null || parentSub !== null)
    throw new TypeError('no append');
  const texts: readonly unknown[] = struct.content.arr;
  if (texts.length === 0 || place + texts.length > textsPerPart || !texts.every((text) => typeof text === 'string'))
    throw new TypeError('not texts');
  return texts as string[];
};

const utf8Bytes = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

export class PresenceDocument {
  readonly name: DocumentName;
  readonly id: string;
  readonly #doc: Y.Doc;
  readonly #client: number;
  readonly #parts: Y.Array<string>[] = [];
  #hash = noHash;
  #bytes = 0;
  /** What was found good last, so that applying it hashes nothing again. */
  #judged: { readonly update: DocumentUpdate; readonly hash: Hash64 } | undefined;

  constructor(name: DocumentName) {
    this.name = name;
    this.id = writeName(name);
    this.#doc = new Y.Doc({ guid: this.id });
    // A reader writes nothing, but Yjs draws itself a new id at random when it meets its own in an update.
    this.#client = clientIdOf(name);
    this.#doc.clientID = this.#client ^ 1;
  }

  /** How many texts it has. */
  get length(): number {
    return Y.getState(this.#doc.store, this.#client);
  }

  get hash(): string {
    return hashHex(this.#hash);
  }

  /** Of its texts in UTF-8, which is its size but for a few bytes each. */
  get bytes(): number {
    return this.#bytes;
  }

  get stateVector(): Uint8Array {
    return Y.encodeStateVector(this.#doc);
  }

  /** For the writer alone. */
  append(texts: readonly string[]): DocumentUpdate {
    const from = this.length;
    const stateVector = this.stateVector;
    this.#doc.clientID = this.#client;
    this.#makeParts(from + texts.length);
    this.#doc.transact(() => this.#push(from, texts));
    this.#grow(texts, texts.reduce(hashOn, this.#hash));
    return { from, to: this.length, hash: this.hash, bytes: Y.encodeStateAsUpdate(this.#doc, stateVector) };
  }

  /** What a reader with this state vector lacks. Throws on bytes that are no state vector. */
  since(stateVector: Uint8Array): DocumentUpdate {
    const known = Y.decodeStateVector(stateVector).get(this.#client) ?? 0;
    const from = Math.min(known, this.length);
    return { from, to: this.length, hash: this.hash, bytes: Y.encodeStateAsUpdate(this.#doc, stateVector) };
  }

  /** Judges an update without applying it; gives the texts that are new here. */
  inspect(update: DocumentUpdate): Inspection {
    if (update.from > this.length) return { ok: false, reason: 'gap' };
    const texts: string[] = [];
    try {
      const { structs, ds } = Y.decodeUpdate(update.bytes);
      if (ds.clients.size > 0) return malformed;
      for (const struct of structs) texts.push(...textsOf(struct, this.#client, update.from + texts.length));
    } catch {
      return malformed;
    }
    if (update.from + texts.length !== update.to) return malformed;
    const fresh = texts.slice(this.length - update.from);
    const hash = fresh.reduce(hashOn, this.#hash);
    if (hashHex(hash) !== update.hash) return { ok: false, reason: 'other-content' };
    this.#judged = { update, hash };
    return { ok: true, texts: fresh, hash };
  }

  /** Only after `inspect` has said that it is good. Gives the new texts as the document holds them. */
  apply(update: DocumentUpdate): readonly string[] {
    const before = this.length;
    this.#makeParts(update.to);
    Y.applyUpdate(this.#doc, update.bytes);
    if (this.length !== update.to)
      throw new Error(`BUG: document ${this.id} has ${this.length} texts after an update to ${update.to}`);
    const texts = this.#textsFrom(before);
    const hash = this.#judged?.update === update ? this.#judged.hash : texts.reduce(hashOn, this.#hash);
    this.#grow(texts, hash);
    return texts;
  }

  destroy(): void {
    this.#doc.destroy();
  }

  /** So that there is a place for so many texts; Yjs must know the parts before it meets texts for them. */
  #makeParts(length: number): void {
    while (this.#parts.length * textsPerPart < length)
      this.#parts.push(this.#doc.getArray<string>(partName(this.#parts.length)));
  }

  #push(from: number, texts: readonly string[]): void {
    for (let at = 0; at < texts.length;) {
      const upTo = at + textsPerPart - ((from + at) % textsPerPart);
      this.#parts[partOf(from + at)]?.push(texts.slice(at, upTo));
      at = upTo;
    }
  }

  #textsFrom(from: number): string[] {
    const first = partOf(from);
    return this.#parts.slice(first).flatMap((part, at) => part.slice(at === 0 ? from - first * textsPerPart : 0));
  }

  #grow(texts: readonly string[], hash: Hash64): void {
    this.#hash = hash;
    this.#judged = undefined;
    this.#bytes += utf8Bytes(texts);
  }
}
