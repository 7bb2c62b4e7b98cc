import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInspected } from './inspection.ts';
import { itemOf, readable } from './stored-values.ts';

const record = {
  type: 'record',
  kind: 'batch',
  epoch: 7,
  seq: 3,
  timeMs: 1000,
  samples: 1,
  total: 12,
  acknowledged: false,
  items: [{ target: 'cpu', fields: ['total'], timeMs: 1000, values: { usage: 17.996251145854735 } }],
};

test('a record is read with its samples, an event with its facts, and other lines pass', () => {
  const batch = parseInspected(JSON.stringify(record));
  assert.ok(batch.type === 'record');
  assert.deepEqual(batch.items, record.items);
  const events = [{ kind: 'start', id: 'a', timeMs: 5, facts: { produced: 1 } }];
  const told = parseInspected(JSON.stringify({ ...record, kind: 'events', items: undefined, events }));
  assert.ok(told.type === 'record');
  assert.deepEqual(told.events, events);
  assert.equal(parseInspected('{"type":"segment","name":"x.seg","records":3}').type, 'other');
  assert.equal(parseInspected('{"type":"damage","bytes":3}').type, 'damage');
  assert.equal(parseInspected('{"type":"summary"}').type, 'other');
});

test('a record that says less than the ledger needs is refused', () => {
  for (const name of ['epoch', 'seq', 'timeMs', 'samples'])
    assert.throws(() => parseInspected(JSON.stringify({ ...record, [name]: undefined })), new RegExp(name));
  assert.throws(() => parseInspected(JSON.stringify({ ...record, kind: 'other' })), /kind/);
  assert.throws(() => parseInspected(JSON.stringify({ ...record, items: 3 })), /items/);
  assert.throws(() => parseInspected('[]'), /not an object/);
});

test('a sample on disk and its document are the same', () => {
  const batch = parseInspected(JSON.stringify(record));
  assert.ok(batch.type === 'record' && batch.items[0]);
  const document = readable('p', {
    _index: 'p-1s-cpu-2026.11.22',
    _id: 'x',
    _source: { '@timestamp': '1970-01-01T00:00:01.000Z', host_id: 'h', cpu: 'total', m: { usage: 17.9962521 } },
  });
  const { index, ...stored } = document;
  assert.equal(index, 'p-1s-cpu-2026.11.22');
  assert.deepEqual(itemOf('h', batch.items[0]), stored);
});
