import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { StoreError } from '../store-error.ts';
import { hostA, originOf, requestOf, sample, scenarioOptions, written } from '../store-scenario.ts';
import type { Store } from '../store.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
import { monthIndexName, monthOf } from './month-index.ts';
import { startScriptedServer, type BulkRequest, type ScriptedRead, type ScriptedServer } from './scripted-server.ts';

const opened: { store: Store; server: ScriptedServer }[] = [];
after(async () => {
  for (const { store, server } of opened) {
    await server.close();
    await store.close();
  }
});

const open = async (
  script: (bulk: BulkRequest, n: number) => void,
  reads?: ScriptedRead,
): Promise<{ store: Store; server: ScriptedServer }> => {
  const server = await startScriptedServer(script, reads);
  const store = openElasticsearchStore(scenarioOptions(`elasticsearch:${server.url}`));
  opened.push({ store, server });
  return { store, server };
};

const nowMs = Date.now();
const letterIndex = monthIndexName('thrum', 'refused', monthOf(nowMs));
const three = (seq: number): ReturnType<typeof requestOf> =>
  requestOf(
    originOf(hostA, seq),
    [0, 1, 2].map((i) => sample('memory', nowMs + seq * 10 + i, [i, i])),
  );
const times = (bulk: BulkRequest | undefined): unknown[] =>
  (bulk?.documents ?? []).map(({ document }) => document['@timestamp']);
const statuses = (bulk: BulkRequest, status: number): number[] => bulk.documents.map(() => status);

test('a document that the server is too busy for is sent again, alone', async () => {
  const { store, server } = await open((bulk, n) => bulk.items(n === 0 ? [201, 429, 201] : statuses(bulk, 201)));
  assert.deepEqual(await written(store, three(1)), { ok: true, refused: [] });
  assert.deepEqual(times(server.bulks[1]), [times(server.bulks[0])[1]]);
  assert.equal(server.bulks.length, 2);
});

const kept = (usage: number, used: number) => ({ found: true, _source: { m: { usage, used } } });

test('a document told 409 is stored when the stored one has the same values', async () => {
  const asked: string[] = [];
  const { store } = await open(
    (bulk) => bulk.items([201, 409, 409]),
    (ids) => {
      asked.push(...ids);
      return [kept(1, 1), kept(2, 2)];
    },
  );
  assert.deepEqual(await written(store, three(1)), { ok: true, refused: [] });
  assert.deepEqual(asked, [String(nowMs + 11), String(nowMs + 12)]);
  assert.equal(store.counters()['store_documents_duplicate'], 2);
});

test('a document told 409 is refused when the stored one has another value, more or fewer values, and kept as a dead letter', async () => {
  const { store, server } = await open(
    (bulk, n) => bulk.items(statuses(bulk, n === 0 ? 409 : 201)),
    () => [kept(0, 7), { found: true }, { found: true, _source: { m: { usage: 2 } } }],
  );
  const result = await written(store, three(1));
  assert.deepEqual(
    result.ok && result.refused.map(({ code, samples, detail }) => [code, samples, detail.split(':')[0]]),
    [['not-stored', 3, 'collision']],
  );
  const letters = server.bulks[1]?.documents ?? [];
  assert.deepEqual(
    letters.map(({ index, document }) => [index, document['seq'], document['index'], document['values']]),
    [0, 1, 2].map((i) => [letterIndex, 1, i, { usage: i, used: i }]),
  );
});

test('a metric that only the stored document has and nobody here knows makes no other sample of it', async () => {
  const { store } = await open(
    (bulk) => bulk.items(statuses(bulk, 409)),
    () => [0, 1, 2].map((i) => ({ found: true, _source: { m: { usage: i, used: i, of_a_newer_node: 1 } } })),
  );
  assert.deepEqual(await written(store, three(1)), { ok: true, refused: [] });
});

test('floats are compared as the four bytes that are kept of them', async () => {
  const { store } = await open(
    (bulk) => bulk.items(statuses(bulk, 409)),
    () => [kept(Math.fround(52.72), 2 ** 53 - 1)],
  );
  const one = requestOf(originOf(hostA, 1), [sample('memory', nowMs, [52.72, 2 ** 53 - 1])]);
  assert.deepEqual(await written(store, one), { ok: true, refused: [] });
});

test('a document told 409 after it was told 429 is looked into as well', async () => {
  const { store } = await open(
    (bulk, n) => bulk.items(n === 0 ? [201, 429, 201] : n === 1 ? [409] : [201]),
    () => [kept(9, 9)],
  );
  const result = await written(store, three(1));
  assert.deepEqual(result.ok && result.refused.map(({ code, samples }) => [code, samples]), [['not-stored', 1]]);
});

test('as long as the stored document cannot be read, a collided one is neither stored nor refused but tried again', async () => {
  let reads = 0;
  const { store, server } = await open(
    (bulk, n) => bulk.items(n === 0 ? [201, 409, 201] : [409]),
    () => {
      reads += 1;
      return reads === 1 ? undefined : reads === 2 ? [{ found: false }] : [kept(1, 1)];
    },
  );
  assert.deepEqual(await written(store, three(1)), { ok: true, refused: [] });
  assert.deepEqual(times(server.bulks[2]), [nowMs + 11]);
  assert.equal(reads, 3);
});

test('an answer lost after the documents were applied: sent again, told 409, compared, stored', async () => {
  const { store, server } = await open((bulk, n) => (n === 0 ? bulk.lose() : bulk.items(statuses(bulk, 409))));
  assert.deepEqual(await written(store, three(1)), { ok: true, refused: [] });
  assert.deepEqual(times(server.bulks[1]), times(server.bulks[0]));
  assert.equal(store.counters()['store_documents_duplicate'], 3);
  assert.equal(store.counters()['store_documents_compared'], 3);
});

test('503 for the bulk or for a document: sent again until it is stored, the health away meanwhile', async () => {
  const { store } = await open((bulk, n) => {
    if (n === 0) return bulk.items(statuses(bulk, 201));
    if (n < 4) return bulk.answer(503, { error: { type: 'unavailable' }, status: 503 });
    return bulk.items(n === 4 ? statuses(bulk, 503) : statuses(bulk, 409));
  });
  await written(store, three(1));
  const states: string[] = [];
  store.onHealth(({ state }) => states.push(state));
  assert.deepEqual(await written(store, three(2)), { ok: true, refused: [] });
  assert.deepEqual(states, ['away', 'ready']);
});

test('an answer that nobody understands counts as none', async () => {
  const { store, server } = await open((bulk, n) => {
    if (n === 0) return bulk.answer(200, { items: [{ create: { status: 201 } }] });
    if (n === 1) return bulk.answer(200, 'what?');
    return bulk.items(statuses(bulk, 409));
  });
  assert.deepEqual(await written(store, three(1)), { ok: true, refused: [] });
  assert.equal(server.bulks.length, 3);
});

test('a bulk too large for the server or its proxy is halved until it fits; a document too large alone is refused', async () => {
  const tooLargeMs = nowMs + 12;
  const { store } = await open((bulk) => {
    const isPoisoned = bulk.documents.some(({ document }) => document['@timestamp'] === tooLargeMs);
    if (isPoisoned || bulk.documents.length > 1)
      bulk.answer(413, { error: { type: 'too_large', reason: 'says the proxy' }, status: 413 });
    else bulk.items(statuses(bulk, 201));
  });
  const result = await written(store, three(1));
  assert.deepEqual(result, {
    ok: true,
    refused: [{ code: 'not-stored', samples: 1, detail: 'status 413: too_large says the proxy' }],
  });
  assert.equal(store.counters()['store_documents_stored'], 2);
});

test('a document the mapping refuses is kept as a dead letter with the reason, the others of its bulk are stored', async () => {
  const { store, server } = await open((bulk, n) => bulk.items(n === 0 ? [201, 400, 201] : [201]));
  const result = await written(store, three(1));
  assert.deepEqual(result, {
    ok: true,
    refused: [{ code: 'not-stored', samples: 1, detail: 'type_400: as scripted' }],
  });
  const { '@timestamp': arrived, ...letter } = server.bulks[1]?.documents[0]?.document ?? {};
  assert.ok(Math.abs(Number(arrived) - nowMs) < 60_000);
  assert.deepEqual(letter, {
    ...{ host_id: hostA, host: 'alpha', cluster: 'test "cluster"' },
    ...{ code: 'not-stored', detail: 'type_400: as scripted', target: 'memory', fields: [] },
    ...{ time_ms: nowMs + 11, epoch: 1, seq: 1, index: 1, values: { usage: 1, used: 1 } },
  });
});

test('as long as its dead letter is not stored a refused sample is not at its end', async () => {
  const { store, server } = await open((bulk, n) => {
    if (n === 0) bulk.items([201, 400, 201]);
    else if (n < 3) bulk.answer(503, {});
    else bulk.items([n === 3 ? 429 : 201]);
  });
  const outcome = store.write(three(1));
  assert.ok(outcome.ok);
  let isDone = false;
  void outcome.done.then(() => (isDone = true));
  await eventually(() => server.bulks.length === 4);
  assert.equal(isDone, false);
  assert.equal((await outcome.done).ok, true);
});

test('a dead letter that is refused itself is tried once more without its values, then counted as lost and over', async () => {
  const { store, server } = await open((bulk, n) => bulk.items(n === 0 ? [201, 400, 201] : [400]));
  assert.deepEqual(await written(store, three(1)), {
    ok: true,
    refused: [{ code: 'not-stored', samples: 1, detail: 'type_400: as scripted' }],
  });
  assert.equal(server.bulks.length, 3);
  const [first, second] = [1, 2].map((n) => server.bulks[n]?.documents[0]?.document ?? {});
  assert.deepEqual(first?.['values'], { usage: 1, used: 1 });
  assert.deepEqual([second?.['values'], second?.['values_left_out']], [undefined, true]);
  assert.equal(store.counters()['store_dead_letters_lost'], 1);
});

test('an event that is refused is told once more with its facts as text', async () => {
  const { store, server } = await open((bulk, n) => bulk.items([n === 0 ? 400 : 201]));
  const event = { kind: 'gap', id: 'g1', timeMs: nowMs, facts: { reason: 'full', samples: 7 } };
  const outcome = store.writeEvents({ origin: originOf(hostA, 1), events: [event] });
  assert.ok(outcome.ok);
  assert.deepEqual(await outcome.done, { ok: true, refused: [] });
  const [, again] = server.bulks.map((bulk) => bulk.documents[0]?.document ?? {});
  assert.deepEqual([again?.['facts'], again?.['facts_text']], [undefined, '{"reason":"full","samples":7}']);
});

test('while a slow server has the bulks, one writer does not wait for another, and no more than four are on their way', async () => {
  const held: BulkRequest[] = [];
  const { store, server } = await open((bulk) => void held.push(bulk));
  const writes: Promise<unknown>[] = [];
  for (let seq = 1; seq <= 8; seq += 1) {
    const many = Array.from({ length: 2500 }, (_, i) => sample('memory', nowMs - seq * 10_000 + i, [i, i]));
    writes.push(written(store, requestOf(originOf(hostA, seq), many)));
  }
  await eventually(() => server.bulks.length >= 3);
  assert.equal(store.counters()['store_bulks_in_flight'], 3);
  let answered = 0;
  await eventually(() => {
    for (const bulk of held.splice(0)) {
      bulk.items(statuses(bulk, 201));
      answered += bulk.documents.length;
    }
    return answered === 20_000;
  });
  await Promise.all(writes);
  assert.equal(store.counters()['store_writes_open'], 0);
  assert.ok(store.room().heldBytes <= 16 * 1024 * 1024, 'no more than the buffers for the next bulks');
});

test('user and password, or an API key, are sent; the certificate of an own authority is read', async () => {
  const server = await startScriptedServer((bulk) => bulk.items(statuses(bulk, 201)));
  const seen: (string | undefined)[] = [];
  server.onRequest((request) => seen.push(request.headers.authorization));
  const options = scenarioOptions(`elasticsearch:${server.url}`);
  for (const credentials of [{ user: 'thrum', password: 'secret' }, { apiKey: 'a2V5' }]) {
    const store = openElasticsearchStore({ ...options, ...credentials });
    opened.push({ store, server });
    await written(store, three(1));
  }
  const [basic, key] = [`Basic ${Buffer.from('thrum:secret').toString('base64')}`, 'ApiKey a2V5'];
  assert.deepEqual([...new Set(seen)], [basic, key]);
});

test('an address that is none and a certificate that cannot be read are said clearly', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'thrum-ca-'));
  const isError = (code: string, words: RegExp) => (error: unknown) =>
    error instanceof StoreError && error.code === code && words.test(error.message);
  for (const url of ['elasticsearch:', 'elasticsearch:localhost', 'elasticsearch:http://a:9200,ftp://b'])
    assert.throws(() => openElasticsearchStore(scenarioOptions(url)), isError('bad-url', /elasticsearch:http/));
  const caFile = path.join(directory, 'ca.pem');
  assert.throws(
    () => openElasticsearchStore({ ...scenarioOptions('elasticsearch:https://127.0.0.1:1'), caFile }),
    isError('ca-file', /ca\.pem.*THRUM_STORE_CA/),
  );
  rmSync(directory, { recursive: true });
});
