import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch, type Batch } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { columnName } from '../column-name.ts';
import { rules } from '../rules.ts';
import type { Origin } from '../store.ts';
import { createDocumentLines } from './document-lines.ts';

const timeMs = Date.UTC(2026, 10, 22);
const target = catalogue.find(({ fields, metrics }) => fields.length === 1 && metrics.length > 1) ?? assert.fail();
const dictionary = dictionaryOf([target]);
const lines = () =>
  createDocumentLines({
    ...{ prefix: 'p', catalogue: new Map([[target.name, target]]), clock: fakeClock(timeMs), rules },
  });
const originOf = (labels: Origin['labels']): Origin => ({
  ...{ hostId: '0b54e1f2-9c1d-4c0e-8d7a-3f1f6a5b2c4d', hostName: 'a"b', cluster: 'c', labels, epoch: 7, seq: 1 },
});
const batchOf = (series: number): Batch => {
  const values = target.metrics.map((_, k) => (k === 1 ? 2 : undefined));
  const samples = Array.from({ length: series }, (_, i) => ({ target: 0, fields: [`f"${i}`], timeMs, values }));
  const decoded = decodeBatch(encodeBatch(dictionary, 7, 1, samples).bytes, dictionary);
  assert.ok(decoded.ok);
  return decoded.batch;
};
const written = (made: ReturnType<typeof lines>, origin: Origin, batch: Batch, i: number): string => {
  const prepared = made.prepare(origin, batch.shape);
  const into = Buffer.alloc(made.maxBytes(prepared, i));
  return into.toString('utf8', 0, made.write(into, 0, origin, prepared, batch, i));
};

test('a document says host, labels and series, also when the next one is of another host or has other labels', () => {
  const made = lines();
  const batch = batchOf(2);
  const labels = { rack: '7"' };
  const expected = (i: number, host: string, label: object): object => ({
    ...{ '@timestamp': timeMs, cluster: 'c', host_id: originOf({}).hostId, host, ...label },
    [columnName(target.fields[0]?.name ?? '')]: `f"${i}`,
    m: { [target.metrics[1]?.name ?? '']: 2 },
  });
  const documentOf = (origin: Origin, i: number): unknown =>
    JSON.parse(written(made, origin, batch, i).split('\n')[1] ?? '');
  assert.deepEqual(documentOf(originOf(labels), 0), expected(0, 'a"b', { label: labels }));
  assert.deepEqual(documentOf(originOf(labels), 1), expected(1, 'a"b', { label: labels }));
  assert.deepEqual(documentOf(originOf({}), 1), expected(1, 'a"b', {}));
  assert.deepEqual(documentOf({ ...originOf(labels), hostName: 'z' }, 0), expected(0, 'z', { label: labels }));
});

test('the longest labels there may be are kept once, not once for each of the thousands of series of a host', () => {
  const made = lines();
  const labels = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`${'k'.repeat(100)}${i}`, 'v'.repeat(128)]));
  const origin = originOf(labels);
  const batch = batchOf(4000);
  const into = Buffer.alloc(64 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  const prepared = made.prepare(origin, batch.shape);
  for (let i = 0; i < 4000; i += 1) made.write(into, 0, origin, prepared, batch, i);
  const kept = process.memoryUsage().arrayBuffers - before;
  assert.ok(kept < 4 * 1024 * 1024, `${kept} bytes for ${JSON.stringify(labels).length} characters of labels`);
});
