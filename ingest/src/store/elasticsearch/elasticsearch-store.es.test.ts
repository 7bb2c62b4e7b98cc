import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { createLog } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { gauge } from '@thrum/actors/wire/schema';
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
import { storeContract, type FoundLetter } from '../store.contract.ts';
import type { Store, StoreOptions } from '../store.ts';
import { dayIndexName, dayOf } from './day-index.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
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

const lettersOf = async (prefix: string, timeMs: number): Promise<FoundLetter[]> => {
  type Letter = Pick<FoundLetter, 'code' | 'detail' | 'target' | 'fields' | 'values'> &
    Record<'host_id', string> &
    Record<'time_ms' | 'epoch' | 'seq' | 'index', number>;
  const found = (await curl('POST', `/${prefix}-refused-*/_search?allow_no_indices=true`, {
    size: 100,
    query: { term: { time_ms: timeMs } },
    sort: ['epoch', 'seq', 'index'],
  })) as { hits: { hits: { _source: Letter }[] } };
  return found.hits.hits.map(({ _source: letter }) => {
    const { host_id: hostId, code, detail, target, fields, values, time_ms: time, epoch, seq, index } = letter;
    return { hostId, code, detail, target, fields, values, timeMs: time, place: [epoch, seq, index] as const };
  });
};

storeContract('Elasticsearch', async (over) => {
  const { store, prefix } = openOn(over);
  await eventually(() => store.health().state === 'ready');
  return {
    store,
    letters: (timeMs) => lettersOf(prefix, timeMs),
    settle: () => refresh(prefix),
    dispose: () => store.close(),
  };
});

const secondMs = (agoMs: number): number => Math.floor((Date.now() - agoMs) / 1000) * 1000;

test('a document is plain: time, dimensions by name, labels, values under m', async () => {
  const { store, prefix } = openOn();
  const at = secondMs(60_000);
  const samples = [sample('memory', at, [52.72, 123_456_789_012]), sample('disk', at, [5, undefined], ['sda', 'h'])];
  await written(store, requestOf(originOf(hostA, 1), samples));
  await refresh(prefix);
  const found = (await curl('POST', `/${prefix}-1s-*/_search`, { sort: ['_index'] })) as {
    hits: { hits: { _index: string; _source: unknown }[] };
  };
  const day = dayOf(at);
  const plain = {
    cluster: 'test "cluster"',
    host_id: hostA,
    host: 'alpha',
  };
  const hits = found.hits.hits.map((hit) => [hit._index, hit._source] as [string, Record<string, unknown>]);
  assert.deepEqual(
    hits.map(([index]) => index),
    [dayIndexName(prefix, 'disk', day), dayIndexName(prefix, 'memory', day)],
  );
  const { label: diskLabel, '@timestamp': diskTime, ...disk } = hits[0]?.[1] ?? {};
  assert.deepEqual(disk, { ...plain, device: 'sda', own_host: 'h', m: { reads: 5 } });
  assert.equal(new Date(diskTime as string | number).getTime(), at);
  assert.ok(JSON.stringify(diskLabel).includes('north'));
  assert.deepEqual(hits[1]?.[1]['m'], { usage: 52.72, used: 123_456_789_012 });
  const byLabel = (await curl('POST', `/${prefix}-1s-*/_count`, { query: { term: { 'label.rack.row': 'r1' } } })) as {
    count: number;
  };
  assert.equal(byLabel.count, 2);
  await store.close();
});

test('another sample of the same series and time is refused as a collision on its first attempt', async () => {
  const { store, prefix } = openOn();
  const at = secondMs(60_000);
  await written(store, requestOf(originOf(hostA, 1), [sample('memory', at, [1, 1])]));
  const result = await written(
    store,
    requestOf(originOf(hostA, 2), [sample('memory', at, [2, 2]), sample('memory', at + 1, [3, 3])]),
  );
  assert.ok(result.ok);
  assert.deepEqual(
    result.refused.map(({ code, samples, detail }) => [code, samples, detail.split(':')[0]]),
    [['not-stored', 1, 'collision']],
  );
  await refresh(prefix);
  const given = await store.ask(questionOf({ fromMs: at, toMs: at + 1000 }), { deadlineMs: 10_000 });
  assert.deepEqual(given.ok && given.series[0]?.values, [[2]]);
  await store.close();
});

test('a first attempt that is overtaken by its resend through another node is stored, not a collision', async () => {
  const { store, prefix } = openOn();
  const other = openOn({ prefix }).store;
  const at = secondMs(120_000);
  const batch = (seq: number): Parameters<typeof requestOf>[1] =>
    Array.from({ length: 300 }, (_, i) => sample('memory', at + seq * 1000 + i, [Math.random() * 100, seq * 1e12 + i]));
  const late = batch(0);
  await written(other, requestOf(originOf(hostA, 0), late));
  assert.deepEqual(await written(store, requestOf(originOf(hostA, 0), late)), { ok: true, refused: [] });
  assert.equal(store.counters()['store_documents_duplicate'], 300);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => batch(i + 1)).flatMap((samples, i) => {
      const origin = originOf(hostA, i + 1);
      return [written(store, requestOf(origin, samples)), written(other, requestOf(origin, samples))];
    }),
  );
  assert.ok(results.every((result) => result.ok && result.refused.length === 0));
  const { store_documents_stored: mine = 0 } = store.counters();
  const { store_documents_stored: theirs = 0 } = other.counters();
  assert.equal(mine + theirs, 21 * 300);
  await Promise.all([store.close(), other.close()]);
});

test('indices are time series with the catalogue as mapping, and a bulk cannot make one', async () => {
  const { store, prefix } = openOn();
  await written(store, requestOf(originOf(hostA, 1), [sample('disk', Date.now(), [1, 1], ['sda', 'h'])]));
  const name = dayIndexName(prefix, 'disk', dayOf(Date.now()));
  type Index = {
    mappings: { properties: Record<string, { type?: string; time_series_dimension?: boolean; properties?: object }> };
    settings: { index: { mode: string } };
  };
  const index = ((await curl('GET', `/${name}`)) as Record<string, Index>)[name];
  assert.equal(index?.settings.index.mode, 'time_series');
  const { properties } = index.mappings;
  assert.deepEqual(properties['m']?.properties, {
    reads: { type: 'long', time_series_metric: 'counter' },
    busy: { type: 'float', time_series_metric: 'gauge' },
  });
  const dimensions = Object.entries(properties)
    .filter(([, field]) => field.time_series_dimension)
    .map(([key]) => key);
  assert.deepEqual(dimensions.sort(), ['cluster', 'device', 'host_id', 'own_host']);
  const missing = dayIndexName(prefix, 'disk', dayOf(Date.now()) - 1);
  await eventually(async () => {
    await curl('GET', `/_index_template/${prefix}-1s`);
  });
  const answer = await fetch(`${testServerUrl()}/_bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `{"create":{"_index":"${missing}"}}\n{"@timestamp":0}\n`,
  });
  assert.match(await answer.text(), /index_not_found_exception/);
  await store.close();
});

test('a day index deleted by hand is made again, with its mapping, before the next document', async () => {
  const { store, prefix } = openOn();
  const at = secondMs(60_000);
  await written(store, requestOf(originOf(hostA, 1), [sample('memory', at, [1, 1])]));
  await eventually(async () => {
    await curl('GET', `/_index_template/${prefix}-1s`);
  });
  const name = dayIndexName(prefix, 'memory', dayOf(at));
  await curl('DELETE', `/${name}`);
  assert.deepEqual(await written(store, requestOf(originOf(hostA, 2), [sample('memory', at + 1000, [2, 2])])), {
    ok: true,
    refused: [],
  });
  const index = (await curl('GET', `/${name}/_settings`)) as Record<string, { settings: { index: { mode?: string } } }>;
  assert.equal(index[name]?.settings.index.mode, 'time_series');
  await store.close();
});

test('two nodes that need the same new day at once both write', async () => {
  const { store, prefix } = openOn();
  const other = openOn({ prefix }).store;
  const at = secondMs(60_000);
  const results = await Promise.all(
    [store, other].map((one, i) =>
      written(one, requestOf(originOf(hostA, i + 1), [sample('memory', at + i * 1000, [i, i])])),
    ),
  );
  assert.ok(results.every((result) => result.ok && result.refused.length === 0));
  await Promise.all([store.close(), other.close()]);
});

test('a metric that is declared during the day is stored from then on', async () => {
  const { store, prefix } = openOn();
  const [memory, ...rest] = scenarioCatalogue;
  assert.ok(memory);
  const at = secondMs(60_000);
  await written(
    openOn({ prefix, catalogue: [{ ...memory, metrics: memory.metrics.slice(0, 1) }, ...rest] }).store,
    requestOf(originOf(hostA, 1), [sample('memory', at, [1, 1])]),
  );
  await written(store, requestOf(originOf(hostA, 2), [sample('memory', at + 1000, [2, 2])]));
  const grown = openOn({
    prefix,
    catalogue: [{ ...memory, metrics: [...memory.metrics, gauge('early', '%', 'New.')] }, ...rest],
  }).store;
  await written(grown, requestOf(originOf(hostA, 3), [sample('memory', at + 2000, [3, 3])]));
  await refresh(prefix);
  const given = await store.ask(questionOf({ metrics: ['usage', 'used'], fromMs: at, toMs: at + 3000 }), {
    deadlineMs: 10_000,
  });
  assert.deepEqual(given.ok && given.series[0]?.values, [
    [1, 2, 3],
    [null, 2, 3],
  ]);
  await Promise.all([store.close(), grown.close()]);
});

test('days older than what is kept are deleted, and only those', async () => {
  const { store, prefix } = openOn();
  const at = secondMs(60_000);
  const dayMs = 86_400_000;
  for (const [i, days] of [0, 1, 4].entries())
    await written(store, requestOf(originOf(hostA, i + 1), [sample('memory', at - days * dayMs, [1, 1])]));
  await store.close();
  const bystander = `${prefix}-1s-memory-by-hand`;
  await curl('PUT', `/${prefix}-users`);
  await curl('PUT', `/${bystander}`, {});
  const later = openOn({ prefix, retentionDays: 2 }).store;
  await eventually(async () => {
    assert.deepEqual(await indexNames(prefix), [
      dayIndexName(prefix, 'memory', dayOf(at) - 1),
      dayIndexName(prefix, 'memory', dayOf(at)),
      bystander,
      `${prefix}-users`,
    ]);
  });
  await later.close();
});

test('before midnight the next day is made ready for the targets in use', async () => {
  const today = dayOf(Date.now());
  const clock = fakeClock(today * 86_400_000 + 23 * 3_600_000 + 25 * 60_000);
  const { store, prefix } = openOn({ clock });
  await eventually(() => store.health().state === 'ready');
  const done = written(store, requestOf(originOf(hostA, 1), [sample('memory', clock.wallMs(), [1, 1])]));
  clock.advance(100);
  assert.deepEqual(await done, { ok: true, refused: [] });
  assert.deepEqual(await indexNames(prefix), [dayIndexName(prefix, 'memory', today)]);
  clock.advance(10 * 60_000);
  await eventually(async () => {
    assert.deepEqual(await indexNames(prefix), [
      dayIndexName(prefix, 'memory', today),
      dayIndexName(prefix, 'memory', today + 1),
    ]);
  });
});

test('of several addresses one that answers is enough', async () => {
  const { store } = openOn({ url: `elasticsearch:http://127.0.0.1:1,${testServerUrl()}` });
  const result = await written(store, requestOf(originOf(hostA, 1), [sample('memory', Date.now(), [1, 1])]));
  assert.deepEqual(result, { ok: true, refused: [] });
  await store.close();
});

test('it is told what time it is by the clock of the server', async () => {
  const heard: { serverMs: number | undefined; tookMs: number }[] = [];
  const { store } = openOn({
    hearTime: (serverMs, askedAtMs) => heard.push({ serverMs, tookMs: systemClock.monotonicMs() - askedAtMs }),
  });
  await eventually(() => assert.ok(heard.length >= 2), { withinMs: 10_000 });
  for (const { serverMs, tookMs } of heard) {
    assert.ok(Math.abs((serverMs ?? 0) - Date.now()) < 10_000 + tookMs, `${serverMs}`);
    assert.ok(tookMs >= 0);
  }
  await store.close();
});

test('away at the start: it opens, holds what is written, says once that it waits, and refuses questions', async () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', sink: { write: (line) => void lines.push(line) } });
  const { store } = openOn({ url: 'elasticsearch:http://127.0.0.1:1', log });
  const states: string[] = [];
  store.onHealth(({ state }) => states.push(state));
  const outcome = store.write(requestOf(originOf(hostA, 1), [sample('memory', Date.now(), [1, 1])]));
  assert.ok(outcome.ok);
  await eventually(() => (store.counters()['store_bulks_failed'] ?? 0) >= 4);
  assert.equal(store.health().state, 'starting');
  const given = await store.ask(questionOf({ fromMs: 0, toMs: 1000 }), { deadlineMs: 1000 });
  assert.equal(!given.ok && given.code, 'store-away');
  assert.deepEqual(
    lines.map((line) => line.includes('the store does not answer')),
    [true],
  );
  await store.close();
  assert.deepEqual(await outcome.done, { ok: false, reason: 'closed' });
  assert.deepEqual(states, []);
  assert.ok(systemClock.wallMs() - store.health().sinceMs < 60_000);
});
