/**
 * The store's small documents, for a web node: asks any linked ingest node, the next one when a link is lost on the way, all within one
 * deadline. Never throws: an answer, `conflict`, or a refusal that says what to do.
 */
import type { Links } from '@thrum/actors/link/links';
import type { Clock } from '@thrum/actors/system/clock';
import type { DeleteOutcome, DocumentValue, GetOutcome, ListOutcome, PutOutcome } from '@thrum/actors/wire/documents';
import { refuse } from '@thrum/actors/wire/refusal';

export type Documents = {
  /** `document` is undefined when there is none of this key. */
  get(collection: string, key: string): Promise<GetOutcome>;
  /** `ifVersion` null: there must be none of this key yet; else the version that was read. */
  put(collection: string, key: string, value: DocumentValue, ifVersion: string | null): Promise<PutOutcome>;
  delete(collection: string, key: string, ifVersion: string): Promise<DeleteOutcome>;
  list(collection: string): Promise<ListOutcome>;
};

export const createDocuments = (_options: { links: Pick<Links, 'peers' | 'ask'>; clock: Clock }): Documents => {
  const away = (): Promise<ReturnType<typeof refuse>> => Promise.resolve(refuse('no-ingest', 'not there yet'));
  return { get: away, put: away, delete: away, list: away };
};
