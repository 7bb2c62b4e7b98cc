import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '@thrum/actors/system/log';
import { systemClock } from '@thrum/actors/system/clock';
import { decodeBatch, encodeBatch, type Sample } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { originOf } from '../store-scenario.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
import { cleanUp, curl, newPrefix, refresh, testServerUrl } from './test-server.ts';

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
/** The queries of the README as a reader would copy them: the indices named before each and its body. */
const queries = [...readme.matchAll(/`(thrum-(?:1s-[a-z]+|events|refused)-\*)`\n\n```json\n(.*?)```/gs)].map(
  ([, indices, body]) => ({
    indices: indices ?? '',
    body: JSON.parse(body ?? '') as object,
  }),
);
const prefix = newPrefix();
const dictionary = dictionaryOf(catalogue);

const sampleOf = (target: string, timeMs: number, fields: string[], values: Record<string, number>): Sample => {
  const index = dictionary.targets.findIndex((one) => one.name === target);
  const metrics = dictionary.targets[index]?.metrics ?? [];
  return { target: index, timeMs, fields, values: metrics.map((metric) => values[metric.name]) };
};

type Keyed = { key: string; doc_count: number } & Record<
  string,
  { value?: number; buckets?: Keyed[]; values?: Record<string, number> }
>;
const ask = async (i: number, name: string): Promise<Keyed[]> => {
  const query = queries[i];
  assert.ok(query, `the README has no query number ${i + 1}`);
  const answer = (await curl('POST', `/${query.indices.replace('thrum', prefix)}/_search`, query.body)) as {
    aggregations: Record<string, { buckets: Keyed[] }>;
  };
  return answer.aggregations[name]?.buckets ?? [];
};

before(async () => {
  const store = openElasticsearchStore({
    url: `elasticsearch:${testServerUrl()}`,
    ...{ prefix, replicas: 0, retentionDays: 5, catalogue, clock: systemClock, log: silentLog },
  });
  // two minutes in the middle of which a minute begins
  const minute = Math.floor(Date.now() / 60_000) * 60_000 - 60_000;
  for (let host = 0; host < 7; host += 1) {
    const samples: Sample[] = [];
    for (const [k, at] of [minute - 30_000, minute + 30_000].entries()) {
      samples.push(sampleOf('cpu', at, ['total'], { usage: host * 10 + k * 2 }));
      samples.push(sampleOf('cpu', at, ['0'], { usage: 99 }));
      samples.push(sampleOf('memory', at, [], { usage: 40 + host }));
      samples.push(sampleOf('network', at, ['eth0'], { received_bytes: 1_000_000 + k * 600 }));
      samples.push(sampleOf('filesystem', at, [`/mnt/${host}`, 'sda', 'ext4'], { usage: 10 * host }));
    }
    const id = `00000000-0000-4000-8000-00000000000${host}`;
    const labels: Record<string, string> = host === 6 ? {} : { env: 'production' };
    const origin = {
      ...originOf(id, 1),
      hostName: host === 1 ? 'alpha' : `host-${host}`,
      cluster: host < 5 ? 'one' : 'two',
      labels,
    };
    const decoded = decodeBatch(encodeBatch(dictionary, 1, 1, samples).bytes, dictionary);
    assert.ok(decoded.ok);
    const accepted = new Uint8Array(samples.length).fill(1);
    const outcome = store.write({ origin, batch: decoded.batch, accepted });
    assert.ok(outcome.ok);
    assert.deepEqual(await outcome.done, { ok: true, refused: [] });
  }
  const alpha = { ...originOf('00000000-0000-4000-8000-000000000001', 2), hostName: 'alpha' };
  const account = { produced: 10, stored: 6, refused: 1, gap: 2, queued: 1 };
  const gap = {
    reason: 'full',
    epoch: 1,
    first_seq: 3,
    last_seq: 4,
    batches: 2,
    samples: 7,
    from_ms: minute,
    to_ms: minute + 1,
  };
  const told = store.writeEvents({
    origin: alpha,
    events: [
      { id: 'a', kind: 'account', timeMs: minute - 2, facts: { ...account, produced: 9 } },
      { id: 'b', kind: 'gap', timeMs: minute - 1, facts: gap },
      { id: 'c', kind: 'gap', timeMs: minute, facts: { ...gap, samples: 5, reason: 'age' } },
      { id: 'd', kind: 'account', timeMs: minute, facts: account },
    ],
  });
  assert.ok(told.ok && (await told.done).ok);
  const decoded = decodeBatch(
    encodeBatch(dictionary, 1, 2, [sampleOf('memory', minute + 36_000_000, [], { usage: 5 })]).bytes,
    dictionary,
  );
  assert.ok(decoded.ok);
  const late = store.write({ origin: alpha, batch: decoded.batch, accepted: new Uint8Array([1]) });
  assert.ok(late.ok && (await late.done).ok);
  await store.close();
  await refresh(prefix);
});
after(() => cleanUp(prefix));

test('the README has ten queries', () => {
  assert.equal(queries.length, 10);
});

test('CPU of one host by minute', async () => {
  const minutes = await ask(0, 'minute');
  assert.deepEqual(
    minutes.map((bucket) => [bucket['usage']?.value, bucket['worst']?.value]),
    [
      [10, 10],
      [12, 12],
    ],
  );
});

test('the five busiest hosts', async () => {
  const hosts = await ask(1, 'host');
  assert.deepEqual(
    hosts.map((bucket) => [bucket.key, bucket['usage']?.value]),
    [
      ['host-6', 61],
      ['host-5', 51],
      ['host-4', 41],
      ['host-3', 31],
      ['host-2', 21],
    ],
  );
});

test('the 95th percentile of memory per cluster', async () => {
  const clusters = await ask(2, 'cluster');
  const byName = new Map(clusters.map((bucket) => [bucket.key, bucket['usage']?.values?.['95.0'] ?? 0]));
  assert.equal(byName.size, 2);
  assert.ok((byName.get('one') ?? 0) > 43 && (byName.get('one') ?? 0) <= 44);
  assert.ok((byName.get('two') ?? 0) > 45 && (byName.get('two') ?? 0) <= 46);
});

test('bytes received per interface and minute', async () => {
  const interfaces = await ask(3, 'interface');
  assert.deepEqual(
    interfaces.map((bucket) => bucket.key),
    ['eth0'],
  );
  assert.deepEqual(
    interfaces[0]?.['minute']?.buckets?.map((bucket) => bucket['growth']?.value),
    [undefined, 600],
  );
});

test('the fullest filesystems of hosts with a label', async () => {
  const mounts = await ask(4, 'mount');
  assert.deepEqual(mounts.map((bucket) => [bucket.key, bucket['usage']?.value]).slice(0, 2), [
    ['/mnt/5', 50],
    ['/mnt/4', 40],
  ]);
  assert.equal(mounts.length, 6);
});

/** The documents a query answers. */
const find = async (i: number): Promise<Record<string, unknown>[]> => {
  const query = queries[i];
  assert.ok(query, `the README has no query number ${i + 1}`);
  const found = (await curl('POST', `/${query.indices.replace('thrum', prefix)}/_search`, query.body)) as {
    hits: { hits: { _source: Record<string, unknown> }[] };
  };
  return found.hits.hits.map((hit) => hit._source);
};

test('gaps by host and reason', async () => {
  const [host, ...none] = await ask(5, 'host');
  assert.equal(none.length, 0);
  assert.ok(host);
  assert.deepEqual([host.key, host['samples']?.value], ['alpha', 12]);
  assert.deepEqual(host['reason']?.buckets?.map(({ key }) => key).sort(), ['age', 'full']);
  assert.ok((host['since']?.value ?? 0) > 0);
});

test('what happened on one host, newest first', async () => {
  assert.deepEqual(
    (await find(6)).map(({ id }) => id),
    ['d', 'c', 'b', 'a'],
  );
});

test('the newest account of each host', async () => {
  const [host] = await ask(7, 'host');
  const newest = host?.['newest'] as unknown as { hits: { hits: { _source: { facts: { produced: number } } }[] } };
  assert.deepEqual([host?.key, newest.hits.hits[0]?._source.facts.produced], ['alpha', 10]);
});

test('why samples are refused', async () => {
  const [reason, ...none] = await ask(8, 'reason');
  assert.equal(none.length, 0);
  assert.equal(reason?.key, 'time-ahead');
  assert.deepEqual(
    [reason['host'], reason['target']].map((part) => part?.buckets?.map(({ key }) => key)),
    [['alpha'], ['memory']],
  );
});

test('the dead letters of one host in full', async () => {
  const letters = await find(9);
  assert.deepEqual(
    letters.map(({ code, seq, index, values }) => [code, seq, index, values]),
    [['time-ahead', 2, 0, { usage: 5 }]],
  );
});
