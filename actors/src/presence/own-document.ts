/**
 * What this node says. Texts wait until `flush`, the newest about each thing only, and go into the document together. Written anew under the next
 * generation when most of it is superseded, under a new incarnation when the former one was declared dead.
 */
import { PresenceDocument } from './document.ts';
import type { DocumentUpdate } from './document.ts';
import type { DocumentName } from './document-name.ts';
import type { PresenceRules } from './rules.ts';

/** Its texts; with what Yjs and the link put around them a whole document fits into one message of a link. */
export const maxDocumentBytes = 12 * 1024 * 1024;
/** Of the texts that count, so that a document is not written anew for every change. */
const maxLiveBytes = 10 * 1024 * 1024;

export type OwnUpdate = { readonly id: string; readonly update: DocumentUpdate };

export class OwnDocument {
  readonly #rules: PresenceRules;
  readonly #liveTexts: () => string[];
  readonly #pending = new Map<string, string>();
  #document: PresenceDocument;
  #renew: DocumentName | undefined;
  /** Bytes of the texts that count. */
  liveBytes = 0;
  rotations = 0;

  constructor(name: DocumentName, options: { rules: PresenceRules; liveTexts: () => string[] }) {
    this.#rules = options.rules;
    this.#liveTexts = options.liveTexts;
    this.#document = new PresenceDocument(name);
  }

  get document(): PresenceDocument {
    return this.#document;
  }

  hasRoomFor(text: string): boolean {
    return this.liveBytes + Buffer.byteLength(text) <= maxLiveBytes;
  }

  /** `thing` is what the text is about: a later text about it replaces this one, also while it waits. */
  say(thing: string, text: string): void {
    this.#pending.delete(thing);
    this.#pending.set(thing, text);
  }

  /** From the next flush on under this name. */
  beginAnew(name: DocumentName): void {
    this.#renew = name;
  }

  /** What others must be told now. */
  flush(): OwnUpdate | undefined {
    if (this.#pending.size === 0 && !this.#renew) return undefined;
    const texts = [...this.#pending.values()];
    this.#pending.clear();
    const { name } = this.#document;
    const waitingBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const sizes = { bytes: this.#document.bytes + waitingBytes, liveBytes: this.liveBytes };
    if (this.#renew === undefined && !this.#rules.shouldRotate(sizes) && sizes.bytes <= maxDocumentBytes)
      return { id: this.#document.id, update: this.#document.append(texts) };
    this.#document.destroy();
    this.#document = new PresenceDocument(this.#renew ?? { ...name, generation: name.generation + 1 });
    this.#renew = undefined;
    this.rotations += 1;
    return { id: this.#document.id, update: this.#document.append(this.#liveTexts()) };
  }
}
