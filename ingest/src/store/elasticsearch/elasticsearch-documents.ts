/**
 * Documents in one index, `PREFIX-documents`: the id is `COLLECTION/KEY`, what a document says is kept as it is and indexed in no part. The server
 * compares versions (sequence number and primary term); every change is refreshed at once, so that a list sees it.
 */
import type { Clock } from '@thrum/actors/system/clock';
import { documentLimits, type Conflict, type ListedDocument } from '@thrum/actors/wire/documents';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { DocumentStore } from '../documents.ts';
import type { Health } from '../health.ts';
import { errorTypeOf, reasonOf, type Ask, type ElasticsearchClient, type Reply } from './client.ts';

export type ElasticsearchDocuments = DocumentStore & {
  /** The server may be another, or may have lost the index. */
  forget(): void;
};

type Options = {
  readonly client: ElasticsearchClient;
  readonly prefix: string;
  readonly replicas: number;
  readonly health: Health;
  readonly clock: Clock;
};

type Written = { readonly _seq_no?: number; readonly _primary_term?: number };
type Source = { readonly key: string; readonly value: unknown };
type Hit = Written & { readonly _source?: Source };
/** Asks with what is left of the deadline. */
type Request = (ask: Omit<Ask, 'timeoutMs'>) => Promise<Reply>;

const conflict: Conflict = { ok: false, reason: 'conflict' };
const listPage = 500;

export const documentsIndex = (prefix: string): string => `${prefix}-documents`;

const versionOf = ({ _seq_no, _primary_term }: Written): string => `${_primary_term ?? 0}.${_seq_no ?? 0}`;
const readVersion = (version: string): { if_primary_term: string; if_seq_no: string } | undefined => {
  const [, term, sequence] = /^([1-9]\d{0,15})\.(\d{1,16})$/.exec(version) ?? [];
  return term === undefined || sequence === undefined ? undefined : { if_primary_term: term, if_seq_no: sequence };
};

export const createElasticsearchDocuments = (options: Options): ElasticsearchDocuments => {
  const { client, health, clock } = options;
  const index = documentsIndex(options.prefix);
  let isMade = false;

  const away = (reply: Reply): Refusal => {
    if (!reply.ok && reply.reason === 'unreachable') health.down(reply.detail);
    // Deleted by hand: made again by the next question.
    if (errorTypeOf(reply) === 'index_not_found_exception') isMade = false;
    return refuse('store-away', reasonOf(reply));
  };

  /** A document must never make the index: it would be mapped by what is in it. */
  const make = async (request: Request): Promise<Refusal | undefined> => {
    if (isMade) return undefined;
    const keyword = { type: 'keyword' };
    const reply = await request({
      method: 'PUT',
      path: `/${index}`,
      query: { wait_for_active_shards: 1 },
      body: {
        settings: { index: { number_of_shards: 1, number_of_replicas: options.replicas } },
        mappings: {
          dynamic: 'strict',
          properties: { collection: keyword, key: keyword, value: { type: 'object', enabled: false } },
        },
      },
    });
    isMade = (reply.ok && reply.status === 200) || errorTypeOf(reply) === 'resource_already_exists_exception';
    return isMade ? undefined : away(reply);
  };

  const within = async <T>(deadlineMs: number, work: (request: Request) => Promise<T>): Promise<T | Refusal> => {
    // Waiting for a server that is known to be away would only make a person wait.
    const { state, detail } = health.now();
    if (state !== 'ready') return refuse('store-away', detail);
    const untilMs = clock.monotonicMs() + deadlineMs;
    const request: Request = (ask) => {
      const leftMs = Math.ceil(untilMs - clock.monotonicMs());
      return leftMs > 0
        ? client.request({ ...ask, timeoutMs: leftMs })
        : Promise.resolve({ ok: false, reason: 'timeout', detail: `no answer within ${deadlineMs} ms` });
    };
    return (await make(request)) ?? (await work(request));
  };

  const pathOf = (kind: '_doc' | '_create', collection: string, key: string): string =>
    `/${index}/${kind}/${encodeURIComponent(`${collection}/${key}`)}`;
  const ofCollection = (collection: string): object => ({ term: { collection } });

  const refuseMore = async (request: Request, collection: string): Promise<Refusal | undefined> => {
    const reply = await request({
      method: 'POST',
      path: `/${index}/_count`,
      body: { query: ofCollection(collection) },
    });
    if (!reply.ok || reply.status !== 200) return away(reply);
    if (((reply.body as { count?: number }).count ?? 0) < documentLimits.perCollection) return undefined;
    return refuse(
      'bad-question',
      `${collection} holds ${documentLimits.perCollection} documents, the most that are kept: delete some`,
    );
  };

  const list = async (request: Request, collection: string) => {
    const documents: ListedDocument[] = [];
    let bytes = 0;
    for (;;) {
      const after = documents.at(-1)?.key;
      const reply = await request({
        method: 'POST',
        path: `/${index}/_search`,
        body: {
          size: listPage,
          query: ofCollection(collection),
          sort: [{ key: 'asc' }],
          seq_no_primary_term: true,
          track_total_hits: false,
          ...(after !== undefined && { search_after: [after] }),
        },
      });
      if (!reply.ok || reply.status !== 200) return away(reply);
      const { hits, _shards } = reply.body as { hits?: { hits?: readonly Hit[] }; _shards?: { failed?: number } };
      if ((_shards?.failed ?? 0) > 0) return refuse('store-away', 'a part of the index does not answer');
      const page = hits?.hits ?? [];
      for (const hit of page) {
        const { key = '', value } = hit._source ?? {};
        bytes += Buffer.byteLength(JSON.stringify(value)) + Buffer.byteLength(key);
        documents.push({ key, version: versionOf(hit), value });
      }
      if (bytes > documentLimits.listBytes)
        return refuse(
          'too-large',
          `the documents of ${collection} together have over ${documentLimits.listBytes} bytes`,
        );
      if (page.length < listPage) return { ok: true, documents } as const;
    }
  };

  return {
    forget: () => void (isMade = false),
    get: (collection, key, { deadlineMs }) =>
      within(deadlineMs, async (request) => {
        const reply = await request({ method: 'GET', path: pathOf('_doc', collection, key) });
        if (reply.ok && reply.status === 404 && errorTypeOf(reply) === '')
          return { ok: true, document: undefined } as const;
        if (!reply.ok || reply.status !== 200) return away(reply);
        const hit = reply.body as Hit;
        return { ok: true, document: { version: versionOf(hit), value: hit._source?.value } } as const;
      }),
    put: (collection, key, value, ifVersion, { deadlineMs }) =>
      within(deadlineMs, async (request) => {
        const read = ifVersion === null ? {} : readVersion(ifVersion);
        if (!read) return conflict;
        const tooMany = ifVersion === null ? await refuseMore(request, collection) : undefined;
        if (tooMany) return tooMany;
        const reply = await request({
          method: 'PUT',
          path: pathOf(ifVersion === null ? '_create' : '_doc', collection, key),
          query: { ...read, refresh: true },
          body: { collection, key, value },
        });
        if (reply.ok && reply.status === 409) return conflict;
        if (!reply.ok || reply.status >= 300) return away(reply);
        return { ok: true, version: versionOf(reply.body as Written) } as const;
      }),
    delete: (collection, key, ifVersion, { deadlineMs }) =>
      within(deadlineMs, async (request) => {
        const read = readVersion(ifVersion);
        if (!read) return conflict;
        const query = { ...read, refresh: true };
        const reply = await request({ method: 'DELETE', path: pathOf('_doc', collection, key), query });
        if (reply.ok && (reply.status === 409 || (reply.status === 404 && errorTypeOf(reply) === ''))) return conflict;
        return reply.ok && reply.status === 200 ? ({ ok: true } as const) : away(reply);
      }),
    list: (collection, { deadlineMs }) => within(deadlineMs, (request) => list(request, collection)),
  };
};
