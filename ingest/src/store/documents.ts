/**
 * Small documents beside the samples (users now): few, changed by people, read at sign-in. `documents.contract.ts` is the suite both stores pass.
 *
 * Invariants
 * - Of two changes that say the same version, one is done and the other is told `conflict`. A version is never given twice for one key, also
 *   not after the document was deleted and made again.
 * - What was answered is durable, and seen by every `get` and `list` that begins afterwards.
 * - Never throws: without an answer of the store in time it refuses with `store-away`, and nobody knows whether a change was done.
 */
import type { DeleteOutcome, DocumentValue, GetOutcome, ListOutcome, PutOutcome } from '@thrum/actors/wire/documents';

type Within = { readonly deadlineMs: number };

/** Collections, keys, values and versions were checked before (`documents/`). */
export type DocumentStore = {
  get(collection: string, key: string, within: Within): Promise<GetOutcome>;
  /** `ifVersion` null: only if there is none of this key. Refuses one more than `perCollection`. */
  put(
    collection: string,
    key: string,
    value: DocumentValue,
    ifVersion: string | null,
    within: Within,
  ): Promise<PutOutcome>;
  /** A document that is not there is a conflict: somebody else deleted it. */
  delete(collection: string, key: string, ifVersion: string, within: Within): Promise<DeleteOutcome>;
  /** In the order of their keys. Refuses more than `listBytes` altogether. */
  list(collection: string, within: Within): Promise<ListOutcome>;
};
