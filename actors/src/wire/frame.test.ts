import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeHostFrame,
  decodeOverviewFrame,
  decodeSnapshot,
  encodeHostFrame,
  encodeOverviewFrame,
  encodeSnapshot,
  overviewColumns,
  tableWidth,
  type Table,
} from './frame.ts';

const hostId = '0f8fad5b-d9cb-469f-a165-70867728950e';
const sampleMs = Date.UTC(2026, 10, 22, 12, 0, 0, 250);

test('a host frame is read back, also from an odd place in a larger buffer', () => {
  const frame = { hostId, table: 7, seq: 42, sampleMs, ageMs: 12.5, values: new Float32Array([1, Number.NaN, 3.5]) };
  const bytes = encodeHostFrame(frame);
  assert.deepEqual(decodeHostFrame(bytes), frame);
  const larger = new Uint8Array(bytes.length + 1);
  larger.set(bytes, 1);
  assert.deepEqual(decodeHostFrame(larger.subarray(1)), frame);
});

test('an overview frame is read back row by row', () => {
  const rows = [0, 1].map((i) => ({
    hostId: hostId.replace('0f', `1${i}`),
    sampleMs: sampleMs + i,
    ageMs: i,
    values: Float32Array.from(overviewColumns, (_, k) => i * 10 + k),
  }));
  assert.deepEqual(decodeOverviewFrame(encodeOverviewFrame(rows)), rows);
  assert.deepEqual(decodeOverviewFrame(encodeOverviewFrame([])), []);
});

test('a snapshot is read back with its table', () => {
  const table: Table = {
    id: 3,
    series: [
      { target: 'load', fields: [], metrics: ['load1', 'load5'] },
      { target: 'cpu', fields: ['total'], metrics: ['usage'] },
    ],
  };
  const columns = Array.from({ length: tableWidth(table) }, (_, i) => new Float32Array([i, i + 0.5, Number.NaN]));
  const snapshot = { hostId, table, seq: 9, timesMs: new Float64Array([1, 2, 3]), columns };
  assert.deepEqual(decodeSnapshot(encodeSnapshot(snapshot)), snapshot);
});

test('frames are read from Node buffers, whose slice is no copy', () => {
  const table: Table = { id: 3, series: [{ target: 'load', fields: [], metrics: ['load1'] }] };
  const snapshot = { hostId, table, seq: 2, timesMs: new Float64Array([1, 2]), columns: [new Float32Array([5, 6])] };
  const frame = { hostId, table: 3, seq: 3, sampleMs, ageMs: 1, values: new Float32Array([7]) };
  const pool = Buffer.alloc(1024, 0xff);
  for (const at of [8, 9, 10, 12]) {
    const held = (bytes: Uint8Array): Buffer => {
      pool.set(bytes, at);
      return pool.subarray(at, at + bytes.length);
    };
    assert.deepEqual(decodeSnapshot(held(encodeSnapshot(snapshot))), snapshot);
    assert.deepEqual(decodeHostFrame(held(encodeHostFrame(frame))), frame);
  }
});

test('frames of another kind, version or length are not read', () => {
  const bytes = encodeHostFrame({ hostId, table: 1, seq: 1, sampleMs, ageMs: 0, values: new Float32Array(2) });
  assert.equal(decodeOverviewFrame(bytes), undefined);
  assert.equal(decodeSnapshot(bytes), undefined);
  assert.equal(decodeHostFrame(bytes.subarray(0, bytes.length - 1)), undefined);
  bytes[1] = 99;
  assert.equal(decodeHostFrame(bytes), undefined);
});
