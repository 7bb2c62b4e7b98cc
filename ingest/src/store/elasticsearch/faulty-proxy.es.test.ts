/** A real Elasticsearch behind something that takes no large bodies, loses answers, or has a word of its own. Nothing is lost or stored twice. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Sample } from '@thrum/actors/wire/batch';
import { hostA, originOf, requestOf, sample, scenarioOptions, written } from '../store-scenario.ts';
import type { Store } from '../store.ts';
import { dayIndexName, dayOf } from './day-index.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
import { startFaultyProxy, type Fault, type FaultyProxy, type Passing } from './faulty-proxy.ts';
import { cleanUp, curl, newPrefix, refresh, testServerUrl } from './test-server.ts';

const opened: { store: Store; proxy: FaultyProxy; prefix: string }[] = [];
after(async () => {
  for (const { store, proxy, prefix } of opened) {
    await store.close();
    await proxy.close();
    await cleanUp(prefix);
  }
});

const openBehind = async (faultOf: (passing: Passing) => Fault | undefined) => {
  const proxy = await startFaultyProxy(testServerUrl(), faultOf);
  const prefix = newPrefix();
  const store = openElasticsearchStore(scenarioOptions(`elasticsearch:${proxy.url}`, prefix));
  opened.push({ store, proxy, prefix });
  return { store, prefix };
};

const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const okay = { ok: true, refused: [] };
const many = (seq: number, samples: number): ReturnType<typeof requestOf> =>
  requestOf(
    originOf(hostA, seq),
    Array.from({ length: samples }, (_, i): Sample => sample('memory', at + seq * 1000 + i, [i, i])),
  );
const countOf = async (prefix: string): Promise<number> => {
  await refresh(prefix);
  const path = `/${dayIndexName(prefix, 'memory', dayOf(at))}/_count`;
  return ((await curl('GET', path)) as { count: number }).count;
};

for (const kind of ['answer', 'hang up'] as const) {
  const words = kind === 'answer' ? 'after it was read' : 'before it was read, and the connection is closed';
  test(`a bulk answered 413 ${words}: it goes in parts, and everything is stored once`, async () => {
    const most = 40_000;
    const { store, prefix } = await openBehind(({ path, bodyBytes }) =>
      path === '/_bulk' && bodyBytes > most ? { kind, status: 413 } : undefined,
    );
    assert.deepEqual(await written(store, many(1, 1_900)), okay);
    assert.equal(await countOf(prefix), 1_900);
    const { store_documents_stored, store_documents_duplicate } = store.counters();
    assert.deepEqual([store_documents_stored, store_documents_duplicate], [1_900, 0]);
  });
}

test('an answer that is lost after everything was stored: the same again is found to be the same', async () => {
  const { store, prefix } = await openBehind(({ path, n }) =>
    path === '/_bulk' && n === 0 ? { kind: 'lose the answer' } : undefined,
  );
  assert.deepEqual(await written(store, many(1, 100)), okay);
  assert.equal(await countOf(prefix), 100);
  assert.equal(store.counters()['store_documents_duplicate'], 100);
});

test('a page of somebody in between that says 502 is no answer of the store', async () => {
  const { store, prefix } = await openBehind(({ path, n }) =>
    path === '/_bulk' && n < 2 ? { kind: 'answer', status: 502 } : undefined,
  );
  assert.deepEqual(await written(store, many(1, 10)), okay);
  assert.equal(await countOf(prefix), 10);
});
