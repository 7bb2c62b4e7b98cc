/** A real Elasticsearch in trouble: its indices blocked, closed, deleted, mapped by somebody else, rolled over; an answer that takes long. Nothing is lost, each ends with its reason. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { counter, gauge } from '@thrum/actors/wire/schema';
import {
  hostA,
  originOf,
  questionOf,
  requestOf,
  sample,
  scenarioCatalogue,
  scenarioOptions,
  written,
} from '../store-scenario.ts';
import type { Store, StoreOptions } from '../store.ts';
import { dayIndexName, dayOf } from './day-index.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
import { startFaultyProxy } from './faulty-proxy.ts';
import { cleanUp, curl, indexNames, newPrefix, refresh, testServerUrl } from './test-server.ts';

const prefixes: string[] = [];
const stores: Store[] = [];
after(async () => {
  for (const store of stores) await store.close();
  for (const prefix of prefixes) await cleanUp(prefix);
});

const openOn = (over: Partial<StoreOptions> = {}): { store: Store; prefix: string } => {
  const prefix = over.prefix ?? newPrefix();
  prefixes.push(prefix);
  const store = openElasticsearchStore({ ...scenarioOptions(`elasticsearch:${testServerUrl()}`, prefix), ...over });
  stores.push(store);
  return { store, prefix };
};

const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const one = (seq: number, values: number[] = [seq, seq]) =>
  requestOf(originOf(hostA, seq), [sample('memory', at + seq * 1000, values)]);
const memoryIndex = (prefix: string): string => dayIndexName(prefix, 'memory', dayOf(at));
const okay = { ok: true, refused: [] };

const letters = async (prefix: string): Promise<Record<string, unknown>[]> => {
  await refresh(prefix);
  const found = (await curl('POST', `/${prefix}-refused-*/_search?allow_no_indices=true`, {
    sort: ['seq', 'index'],
  })) as {
    hits: { hits: { _source: Record<string, unknown> }[] };
  };
  return found.hits.hits.map((hit) => hit._source);
};

/** Begun before everything else, so that the others run while it waits: longer than anything that is tried again early. */
const slowMs = 30_000;
const proxy = await startFaultyProxy(testServerUrl(), ({ path, n }) =>
  path === '/_bulk' && n === 0 ? { kind: 'answer later', afterMs: slowMs } : undefined,
);
after(() => proxy.close());
const slow = openOn({ url: `elasticsearch:${proxy.url}` });
const slowResult = written(slow.store, one(1));

for (const [name, block] of [
  ['the flood stage of a full disk', 'read_only_allow_delete'],
  ['read only', 'read_only'],
  ['blocked for writing', 'write'],
  ['closed', undefined],
] as const)
  test(`an index that is ${name}: its samples wait, those of others are stored, and all are stored when the block is lifted`, async () => {
    const { store, prefix } = openOn();
    assert.deepEqual(await written(store, one(1)), okay);
    const setBlock = (isSet: boolean | null): Promise<unknown> =>
      block === undefined
        ? curl('POST', `/${memoryIndex(prefix)}/_${isSet === true ? 'close' : 'open'}`)
        : curl('PUT', `/${memoryIndex(prefix)}/_settings`, { [`index.blocks.${block}`]: isSet });
    await setBlock(true);
    const outcome = store.write(one(2));
    assert.ok(outcome.ok);
    let isDone = false;
    void outcome.done.then(() => (isDone = true));
    await eventually(() => assert.ok((store.counters()['store_documents_retried'] ?? 0) >= 3));
    const other = requestOf(originOf(hostA, 3), [sample('disk', at, [1, 1], ['sda', 'x'])]);
    assert.deepEqual(await written(store, other), okay);
    assert.equal(isDone, false);
    await setBlock(null);
    assert.deepEqual(await outcome.done, okay);
    assert.deepEqual(await letters(prefix), []);
  });

test('a mapping that somebody else made: what it refuses is a dead letter with the reason of the server, the rest is stored', async () => {
  const [memory, ...rest] = scenarioCatalogue;
  assert.ok(memory);
  const { store, prefix } = openOn({
    catalogue: [
      { ...memory, metrics: [gauge('usage', '%', 'A float.'), counter('used', 'bytes', 'A whole number.')] },
      ...rest,
    ],
  });
  const start = dayOf(at) * 86_400_000;
  await curl('PUT', `/${memoryIndex(prefix)}`, {
    settings: {
      index: {
        ...{ mode: 'time_series', routing_path: ['host_id'], number_of_replicas: 0 },
        time_series: {
          start_time: new Date(start).toISOString(),
          end_time: new Date(start + 86_400_000).toISOString(),
        },
      },
    },
    mappings: {
      dynamic: false,
      properties: {
        '@timestamp': { type: 'date' },
        cluster: { type: 'keyword', time_series_dimension: true },
        host_id: { type: 'keyword', time_series_dimension: true },
        m: { properties: { used: { type: 'short' } } },
      },
    },
  });
  const samples = [sample('memory', at, [1, 7]), sample('memory', at + 1000, [2, 1_000_000])];
  const result = await written(store, requestOf(originOf(hostA, 9), samples));
  assert.ok(result.ok);
  assert.deepEqual(
    result.refused.map(({ code, samples: count }) => [code, count]),
    [['not-stored', 1]],
  );
  const [letter, ...none] = await letters(prefix);
  assert.equal(none.length, 0);
  assert.match(String(letter?.['detail']), /document_parsing_exception.*used/);
  assert.deepEqual(
    [letter?.['target'], letter?.['time_ms'], letter?.['seq'], letter?.['index']],
    ['memory', at + 1000, 9, 1],
  );
  assert.deepEqual(letter?.['values'], { usage: 2, used: 1_000_000 });
  // what the mapping does not know is kept all the same, and the same sample again is no collision
  assert.deepEqual(await written(store, requestOf(originOf(hostA, 10), samples.slice(0, 1))), okay);
});

test('a field too long for the server: refused by it alone, kept as a dead letter', async () => {
  const { store, prefix } = openOn();
  const samples = [
    sample('disk', at, [1, 1], ['sda', 'x']),
    sample('disk', at, [2, 2], ['s'.repeat(512), 'x'.repeat(512)]),
    sample('disk', at, [3, 3], ['ä'.repeat(256), 'ö'.repeat(256)]),
  ];
  const result = await written(store, requestOf(originOf(hostA, 1), samples));
  assert.ok(result.ok);
  const refused = result.refused.reduce((sum, { samples: count }) => sum + count, 0);
  assert.equal((await letters(prefix)).length, refused);
  assert.equal(store.counters()['store_documents_stored'], 3 - refused);
});

test('a day deleted by hand under way is made again, and so are the indices of events and dead letters', async () => {
  const { store, prefix } = openOn();
  const event = { id: 'e', kind: 'gap', timeMs: at, facts: { reason: 'full', samples: 3 } };
  const refused = { ...one(1), refused: [{ code: 'time-ahead', detail: 'scripted' }] as const };
  refused.accepted[0] = 0;
  const all = async (): Promise<void> => {
    const told = store.writeEvents({ origin: originOf(hostA, 2), events: [event] });
    assert.ok(told.ok);
    for (const result of await Promise.all([told.done, written(store, refused), written(store, one(3))]))
      assert.deepEqual(result, okay);
  };
  await all();
  const names = await indexNames(prefix);
  assert.equal(names.length, 3);
  for (const name of names) await curl('DELETE', `/${name}`);
  await all();
  assert.deepEqual(await indexNames(prefix), names);
  const described = (await curl('GET', `/${prefix}-events-*`)) as Record<
    string,
    { mappings: { dynamic: string; properties: { facts: { properties: Record<string, { type: string }> } } } }
  >;
  const { mappings } = Object.values(described)[0] ?? {};
  assert.equal(mappings?.dynamic, 'false');
  assert.deepEqual(mappings.properties.facts.properties['samples'], { type: 'long', ignore_malformed: true });
});

test('a rollover that somebody forces has no part in where samples go', async () => {
  const { store, prefix } = openOn();
  assert.deepEqual(await written(store, one(1)), okay);
  const name = memoryIndex(prefix);
  await curl('POST', '/_aliases', {
    actions: [{ add: { index: name, alias: `${prefix}-all`, is_write_index: true } }],
  });
  await curl('POST', `/${prefix}-all/_rollover/${prefix}-other`);
  assert.deepEqual(await written(store, one(1)), okay);
  assert.deepEqual(await written(store, one(2)), okay);
  await refresh(prefix);
  const given = await store.ask(questionOf({ fromMs: at + 1000, toMs: at + 3000 }), { deadlineMs: 10_000 });
  assert.deepEqual(given.ok && given.series[0]?.values, [[1, 2]]);
  assert.equal(((await curl('GET', `/${name}/_count`)) as { count: number }).count, 2);
});

test('months of events and dead letters are deleted when they are old enough, and only those', async () => {
  const { store, prefix } = openOn();
  // Without a sample that is newer, nothing is called old: the clock of the node alone may be wrong.
  assert.deepEqual(await written(store, one(1)), okay);
  const kept = [`${prefix}-events-by-hand`, `${prefix}-refused-2020.13`];
  for (const name of [`${prefix}-events-2020.01`, `${prefix}-refused-2020.01`, ...kept]) {
    await fetch(`${testServerUrl()}/_index_template/${prefix}-events`, { method: 'DELETE' });
    await fetch(`${testServerUrl()}/_index_template/${prefix}-refused`, { method: 'DELETE' });
    await curl('PUT', `/${name}`, {});
  }
  openOn({ prefix });
  const left = [...kept, memoryIndex(prefix)].sort();
  await eventually(async () => assert.deepEqual((await indexNames(prefix)).sort(), left));
});

test('an answer that takes thirty seconds is waited for: nothing is sent a second time', async () => {
  assert.deepEqual(await slowResult, okay);
  assert.equal(proxy.bulks(), 1);
  await refresh(slow.prefix);
  assert.equal(((await curl('GET', `/${memoryIndex(slow.prefix)}/_count`)) as { count: number }).count, 1);
  assert.equal(slow.store.counters()['store_documents_duplicate'], 0);
});
