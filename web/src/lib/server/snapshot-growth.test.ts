import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostFrame, Snapshot } from '@thrum/actors/wire/frame';
import { grow } from './snapshot-growth.ts';

const hostId = '00000000-0000-4000-8000-000000000001';
const snapshot: Snapshot = {
  hostId,
  table: { id: 7, series: [{ target: 'load', fields: [], metrics: ['load1', 'load5'] }] },
  seq: 3,
  timesMs: Float64Array.of(1000, 2000, 3000),
  columns: [Float32Array.of(1, 2, 3), Float32Array.of(10, 20, 30)],
};
const frame = (seq: number, values: number[], table = 7): HostFrame => ({
  hostId,
  table,
  seq,
  sampleMs: seq * 1000,
  ageMs: 0,
  values: Float32Array.from(values),
});

test('frames that came after a snapshot stand behind its ticks', () => {
  const grown = grow(snapshot, [frame(4, [4, 40]), frame(5, [5, 50])], 600_000);
  assert.deepEqual([...(grown?.timesMs ?? [])], [1000, 2000, 3000, 4000, 5000]);
  assert.deepEqual(
    grown?.columns.map((column) => [...column]),
    [
      [1, 2, 3, 4, 5],
      [10, 20, 30, 40, 50],
    ],
  );
  assert.equal(grown.seq, 5);
});

test('frames it already holds are passed over, and without new ones it is the same snapshot', () => {
  assert.equal(grow(snapshot, [frame(2, [0, 0]), frame(3, [0, 0])], 600_000), snapshot);
});

test('a frame shorter than the table has no value in the rest', () => {
  assert.deepEqual([...(grow(snapshot, [frame(4, [4])], 600_000)?.columns[1] ?? [])], [10, 20, 30, Number.NaN]);
});

test('ticks older than what is kept are cut off', () => {
  const grown = grow(snapshot, [frame(4, [4, 40])], 2000);
  assert.deepEqual([...(grown?.timesMs ?? [])], [2000, 3000, 4000]);
  assert.deepEqual([...(grown?.columns[0] ?? [])], [2, 3, 4]);
  assert.deepEqual([...(grow(snapshot, [frame(900, [9, 90])], 2000)?.timesMs ?? [])], [900_000]);
});

test('a frame of another table, or wider than this one, needs a new snapshot', () => {
  assert.equal(grow(snapshot, [frame(4, [4, 40], 8)], 600_000), undefined);
  assert.equal(grow(snapshot, [frame(4, [4, 40, 400])], 600_000), undefined);
});
