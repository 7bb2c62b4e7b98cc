/**
 * Everything a mesh keeps in Elasticsearch, document by document: a point in time, read on with `search_after`, so that nothing is missed
 * and nothing comes twice however much there is.
 */
import { readable } from './stored-values.ts';
import type { Stored } from './ledger.ts';

export type RawDocument = {
  readonly _index: string;
  readonly _id: string;
  readonly _source: Readonly<Record<string, unknown>>;
};

const pageDocuments = 4000;
const withinMs = 60_000;

const call = async (url: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${(await response.text()).slice(0, 500)}`);
  return (await response.json()) as Record<string, unknown>;
};

/** All documents of the indices of this pattern; none when there is no such index. */
export async function* allDocuments(url: string, pattern: string): AsyncGenerator<RawDocument> {
  const indices = (await call(
    url,
    'GET',
    `/${pattern}/_settings?filter_path=*.settings.index.uuid&allow_no_indices=true`,
  )) as object;
  if (Object.keys(indices).length === 0) return;
  await call(url, 'POST', `/${pattern}/_refresh`);
  const opened = await call(url, 'POST', `/${pattern}/_pit?keep_alive=5m`);
  let id = String(opened['id']);
  let after: unknown;
  try {
    for (;;) {
      const found = await call(url, 'POST', '/_search', {
        size: pageDocuments,
        pit: { id, keep_alive: '5m' },
        sort: [{ _shard_doc: 'asc' }],
        track_total_hits: false,
        ...(after === undefined ? {} : { search_after: after }),
      });
      id = String(found['pit_id']);
      if (found['timed_out'] === true || ((found['_shards'] as { failed?: number }).failed ?? 0) > 0)
        throw new Error(`A search of ${pattern} did not reach all shards: ${JSON.stringify(found['_shards'])}`);
      const { hits } = found['hits'] as { hits: (RawDocument & { sort: unknown })[] };
      yield* hits;
      after = hits.at(-1)?.sort;
      if (hits.length < pageDocuments) return;
    }
  } finally {
    await call(url, 'DELETE', '/_pit', { id }).catch(() => undefined);
  }
}

/** All samples of a mesh. */
export async function* storedSamples(url: string, prefix: string): AsyncGenerator<Stored> {
  for await (const document of allDocuments(url, `${prefix}-1s-*`)) yield readable(prefix, document);
}
