import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { documentsContract } from '../documents.contract.ts';
import { scenarioOptions } from '../store-scenario.ts';
import type { Store } from '../store.ts';
import { documentsIndex } from './elasticsearch-documents.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
import { cleanUp, curl, newPrefix, testServerUrl } from './test-server.ts';

const prefixes: string[] = [];
const stores: Store[] = [];
after(async () => {
  for (const store of stores) await store.close();
  for (const prefix of prefixes) await cleanUp(prefix);
});

const openOn = async (prefix = newPrefix()): Promise<{ store: Store; prefix: string }> => {
  prefixes.push(prefix);
  const store = openElasticsearchStore(scenarioOptions(`elasticsearch:${testServerUrl()}`, prefix));
  stores.push(store);
  await eventually(() => store.health().state === 'ready');
  return { store, prefix };
};

documentsContract('Elasticsearch', async () => {
  const { store } = await openOn();
  return { documents: store.documents, dispose: () => store.close() };
});

const within = { deadlineMs: 10_000 };

test('nothing of what a document says is mapped', async () => {
  const { store, prefix } = await openOn();
  assert.ok((await store.documents.put('users', 'ada', { a: { b: 1 } }, null, within)).ok);
  const answer = (await curl('GET', `/${documentsIndex(prefix)}/_mapping`)) as Record<
    string,
    { mappings: { dynamic: string; properties: Record<string, object> } }
  >;
  const { mappings } = answer[documentsIndex(prefix)] ?? {};
  assert.equal(mappings?.dynamic, 'strict');
  assert.deepEqual(mappings.properties['value'], { type: 'object', enabled: false });
});

test('two nodes share the documents: one sees what the other put, and only one of two changes is done', async () => {
  const [{ store: one, prefix }] = [await openOn()];
  const { store: other } = await openOn(prefix);
  const put = await one.documents.put('users', 'ada', { n: 1 }, null, within);
  assert.ok(put.ok);
  const listed = await other.documents.list('users', within);
  assert.deepEqual(listed.ok && listed.documents.map((document) => document.version), [put.version]);
  const outcomes = await Promise.all(
    [one, other].map((store, n) => store.documents.put('users', 'ada', { n }, put.version, within)),
  );
  assert.equal(outcomes.filter((outcome) => outcome.ok).length, 1);
});

test('an index deleted by hand is made again, with its mapping', async () => {
  const { store, prefix } = await openOn();
  assert.ok((await store.documents.put('users', 'ada', { n: 1 }, null, within)).ok);
  await curl('DELETE', `/${documentsIndex(prefix)}`);
  await eventually(async () => {
    const read = await store.documents.get('users', 'ada', within);
    assert.deepEqual(read, { ok: true, document: undefined });
  });
  assert.ok((await store.documents.put('users', 'ada', { n: { m: 1 } }, null, within)).ok);
  assert.ok((await store.documents.put('users', 'bob', { n: 1 }, null, within)).ok);
});
