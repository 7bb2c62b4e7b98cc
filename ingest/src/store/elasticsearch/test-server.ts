/** The real Elasticsearch that `*.es.test.ts` files run on: its address, plain requests, and a prefix of one's own that is cleaned up. */
import { randomBytes } from 'node:crypto';

export const testServerUrl = (): string => {
  const url = process.env['THRUM_TEST_ELASTICSEARCH'];
  if (url === undefined || url === '')
    throw new Error(
      'This test needs a real Elasticsearch: set THRUM_TEST_ELASTICSEARCH to its URL (node infra/elasticsearch/start.ts starts one).',
    );
  return url.replace(/\/$/, '');
};

/** A request as a person would make it with curl. Throws on anything but a success. */
export const curl = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(testServerUrl() + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return text === '' ? undefined : JSON.parse(text);
};

export const newPrefix = (): string => `test-${randomBytes(6).toString('hex')}`;

export const refresh = async (prefix: string): Promise<void> => {
  await curl('POST', `/${prefix}-*/_refresh?ignore_unavailable=true&allow_no_indices=true`);
};

export const indexNames = async (prefix: string): Promise<string[]> =>
  ((await curl('GET', `/_cat/indices/${prefix}-*?format=json&h=index`)) as { index: string }[])
    .map((row) => row.index)
    .sort();

/** Deletes every index and template of a prefix, index by index: a server may forbid wildcards. */
export const cleanUp = async (prefix: string): Promise<void> => {
  for (const name of await indexNames(prefix)) await curl('DELETE', `/${name}?ignore_unavailable=true`);
  for (const kind of ['1s', 'events', 'refused'])
    await fetch(`${testServerUrl()}/_index_template/${prefix}-${kind}`, { method: 'DELETE' });
};
