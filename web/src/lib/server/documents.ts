/**
 * The store's small documents, for a web node: asks one of the linked ingest nodes, the next when that one has no answer, all within one
 * deadline. Never throws: an answer, `conflict`, or a refusal that says what to do.
 *
 * A change whose answer was lost may have been done. Where it is tried again and meets its own trace, that is told from somebody else's change
 * by what the document says.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Links } from '@thrum/actors/link/links';
import type { Clock } from '@thrum/actors/system/clock';
import {
  documentLimits,
  documentsEndpoint,
  type DeleteOutcome,
  type DocumentsQuestion,
  type DocumentValue,
  type GetOutcome,
  type ListOutcome,
  type PutOutcome,
} from '@thrum/actors/wire/documents';
import { asRefusal, refuse, type Refusal } from '@thrum/actors/wire/refusal';

export type Documents = {
  /** `document` is undefined when there is none of this key. */
  get(collection: string, key: string): Promise<GetOutcome>;
  /** `ifVersion` null: there must be none of this key yet; else the version that was read. */
  put(collection: string, key: string, value: DocumentValue, ifVersion: string | null): Promise<PutOutcome>;
  delete(collection: string, key: string, ifVersion: string): Promise<DeleteOutcome>;
  list(collection: string): Promise<ListOutcome>;
};

/** What one node may take: its own deadline at the store and the way there and back. Leaves time for another. */
const perNodeMs = documentLimits.storeDeadlineMs + 500;

const conflictSchema = z.object({ ok: z.literal(false), reason: z.literal('conflict') });
const stored = z.object({ version: z.string(), value: z.unknown() });
const schemas = {
  // A key that is undefined is left out on its way.
  get: z.object({ ok: z.literal(true), document: stored.optional() }),
  put: z.object({ ok: z.literal(true), version: z.string() }),
  delete: z.object({ ok: z.literal(true) }),
  list: z.object({ ok: z.literal(true), documents: z.array(stored.extend({ key: z.string() })) }),
} as const;

type Conflicted = z.infer<typeof conflictSchema>;
/** `unsure`: a node was asked before that gave no answer, and may have done it. */
type Asked<T> = { readonly outcome: T | Conflicted | Refusal; readonly unsure: boolean };

export const createDocuments = (options: { links: Pick<Links, 'peers' | 'ask'>; clock: Clock }): Documents => {
  const { links, clock } = options;
  let turn = 0;

  const askNodes = async <T>(question: DocumentsQuestion, schema: z.ZodType<T>): Promise<Asked<T>> => {
    const untilMs = clock.monotonicMs() + documentLimits.askDeadlineMs;
    const nodes = links.peers().filter((peer) => peer.role === 'ingest');
    const first = turn++;
    let outcome: Refusal = refuse('no-ingest');
    let unsure = false;
    for (let i = 0; i < nodes.length; i += 1) {
      const node = nodes[(first + i) % nodes.length];
      const leftMs = untilMs - clock.monotonicMs();
      if (!node || leftMs <= 0) break;
      const deadlineMs = Math.min(leftMs, perNodeMs);
      const answer = await links.ask(node.id, documentsEndpoint, question, { deadlineMs });
      if (answer.ok) {
        const parsed = z.union([schema, conflictSchema]).safeParse(answer.value);
        if (parsed.success) return { outcome: parsed.data, unsure };
        outcome =
          asRefusal(answer.value) ?? refuse('store-away', 'the ingest node answered something that is no answer');
        // Another node may reach the store; what is wrong with the question is wrong everywhere.
        if (outcome.code !== 'store-away' && outcome.code !== 'busy') return { outcome, unsure };
        unsure ||= outcome.code === 'store-away';
      } else {
        unsure ||= answer.reason !== 'full';
        outcome =
          answer.reason === 'full'
            ? refuse('busy', 'the way to the ingest node is full')
            : answer.reason === 'no-link'
              ? refuse('no-ingest')
              : refuse('store-away', 'the ingest node gave no answer in time');
      }
    }
    return { outcome, unsure };
  };

  const get = async (collection: string, key: string): Promise<GetOutcome> => {
    const { outcome } = await askNodes({ kind: 'get', collection, key }, schemas.get);
    if (!outcome.ok) return 'code' in outcome ? outcome : refuse('store-away', 'a conflict is no answer to a get');
    return { ok: true, document: outcome.document };
  };

  return {
    get,
    put: async (collection, key, value, ifVersion) => {
      // JSON, as it is kept: what it leaves out must not be compared later.
      const sent = JSON.parse(JSON.stringify(value)) as Extract<DocumentsQuestion, { kind: 'put' }>['value'];
      const { outcome, unsure } = await askNodes({ kind: 'put', collection, key, value: sent, ifVersion }, schemas.put);
      if (outcome.ok || 'code' in outcome || !unsure) return outcome;
      const now = await get(collection, key);
      if (!now.ok) return now;
      return now.document && isDeepStrictEqual(now.document.value, sent)
        ? { ok: true, version: now.document.version }
        : outcome;
    },
    delete: async (collection, key, ifVersion) => {
      const { outcome, unsure } = await askNodes({ kind: 'delete', collection, key, ifVersion }, schemas.delete);
      if (outcome.ok || 'code' in outcome || !unsure) return outcome;
      const now = await get(collection, key);
      if (!now.ok) return now;
      return now.document ? outcome : { ok: true };
    },
    list: async (collection) => {
      const { outcome } = await askNodes({ kind: 'list', collection }, schemas.list);
      return outcome.ok || 'code' in outcome ? outcome : refuse('store-away', 'a conflict is no answer to a list');
    },
  };
};
