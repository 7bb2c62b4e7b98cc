/** What a test leaves in a shared Elasticsearch, found by the prefix of its names and taken away by name. */
const ask = async (url: string, path: string, method: 'GET' | 'DELETE' | 'POST' = 'GET'): Promise<Response> =>
  fetch(`${url}${path}`, { method, signal: AbortSignal.timeout(30_000) });

/** Names of the indices of a mesh. */
export const indicesOf = async (url: string, prefix: string): Promise<string[]> => {
  const response = await ask(url, `/_cat/indices/${prefix}-*?format=json&h=index&expand_wildcards=all`);
  if (!response.ok) throw new Error(`Elasticsearch at ${url} did not list its indices: ${response.status}`);
  const rows = (await response.json()) as { index: string }[];
  return rows.map((row) => row.index).sort();
};

/** By name, because a server may refuse to delete by pattern. */
export const deleteIndices = async (url: string, prefix: string): Promise<void> => {
  const names = await indicesOf(url, prefix);
  for (let at = 0; at < names.length; at += 20) await ask(url, `/${names.slice(at, at + 20).join(',')}`, 'DELETE');
  await ask(url, `/_index_template/${prefix}-*`, 'DELETE');
};

/** Makes what was written visible to searches. */
export const refresh = async (url: string, prefix: string): Promise<void> => {
  await ask(url, `/${prefix}-*/_refresh`, 'POST');
};

export type Hit = { readonly _index: string; readonly _source: Readonly<Record<string, unknown>> };

/** Documents of a mesh as any program reads them: plain JSON over HTTP. */
export const search = async (url: string, pattern: string, body: object): Promise<Hit[]> => {
  const response = await fetch(`${url}/${pattern}/_search?ignore_unavailable=true&allow_no_indices=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`The search of ${pattern} failed: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { hits: { hits: Hit[] } }).hits.hits;
};
