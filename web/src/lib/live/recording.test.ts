import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostFrame, Snapshot, Table } from '@thrum/actors/wire/frame';
import { Recording } from './recording.ts';

const table: Table = {
  id: 7,
  series: [
    { target: 'cpu', fields: ['total'], metrics: ['usage', 'user'] },
    { target: 'load', fields: [], metrics: ['load1'] },
  ],
};

const frame = (sampleMs: number, values: number[], tableId = 7): HostFrame => ({
  hostId: 'h',
  table: tableId,
  seq: 1,
  sampleMs,
  ageMs: 0,
  values: Float32Array.from(values),
});

const snapshot = (timesMs: number[], load: number[], of: Table = table): Snapshot => ({
  hostId: 'h',
  table: of,
  seq: 1,
  timesMs: Float64Array.from(timesMs),
  columns: [timesMs.map(() => 1), timesMs.map(() => 2), load].map((column) => Float32Array.from(column)),
});

const loads = (recording: Recording): (number | undefined)[] => [
  ...recording.column(recording.slot('load', [], 'load1') ?? -1),
];

test('a frame after the snapshot stands behind it', () => {
  const recording = Recording.of(snapshot([1000, 2000], [1, 2]), 600_000);
  assert.equal(recording.append(frame(3000, [1, 2, 3])), 'appended');
  assert.deepEqual([...recording.timesMs], [1000, 2000, 3000]);
  assert.deepEqual(loads(recording), [1, 2, 3]);
  assert.equal(recording.slot('cpu', ['total'], 'user'), 1);
  assert.equal(recording.slot('cpu', ['0'], 'user'), undefined);
  assert.equal(recording.slot('cpu', ['total'], 'steal'), undefined);
});

test('a late sample stands at its own time and a known one is ignored', () => {
  const recording = Recording.of(snapshot([1000, 3000], [1, 3]), 600_000);
  assert.equal(recording.append(frame(2000, [0, 0, 2])), 'appended');
  assert.equal(recording.append(frame(3000, [0, 0, 9])), 'ignored');
  assert.deepEqual([...recording.timesMs], [1000, 2000, 3000]);
  assert.deepEqual(loads(recording), [1, 2, 3]);
});

test('an unknown table, or more values than the table has, asks for a snapshot', () => {
  const recording = new Recording(table, 600_000);
  assert.equal(recording.append(frame(1, [1, 2, 3], 8)), 'unknown-table');
  assert.equal(recording.append(frame(1, [1, 2, 3, 4])), 'unknown-table');
});

test('values a frame does not have are unknown, not zero', () => {
  const recording = new Recording(table, 600_000);
  recording.append(frame(1, [5]));
  assert.deepEqual(loads(recording), [Number.NaN]);
  assert.equal(recording.newest(2), undefined);
  assert.equal(recording.newest(0), 5);
});

test('it keeps its time and no more, however long it runs', () => {
  const recording = new Recording(table, 60_000, 64);
  for (let second = 0; second < 5000; second += 1) recording.append(frame(second * 1000, [0, 0, second]));
  assert.ok(recording.ticks >= 61 && recording.ticks <= 256, `${recording.ticks} ticks are kept`);
  assert.equal(loads(recording).at(-1), 4999);
  assert.deepEqual([recording.firstMs, recording.lastMs], [(5000 - recording.ticks) * 1000, 4_999_000]);
});

test('a host that sends far too often cannot make it grow without bound', () => {
  const recording = new Recording(table, 600_000, 64);
  for (let tick = 0; tick < 40_000; tick += 1) recording.append(frame(tick, [0, 0, tick]));
  assert.ok(recording.ticks <= 12_000);
  assert.equal(loads(recording).at(-1), 39_999);
});

test('a new snapshot with another table keeps what only the earlier recording knows', () => {
  const earlier = Recording.of(snapshot([1000, 2000, 3000], [1, 2, 3]), 600_000);
  earlier.append(frame(6000, [0, 0, 6]));
  const swapped: Table = { id: 9, series: [...table.series].reverse() };
  const later: Snapshot = {
    ...snapshot([3000, 4000], [0, 0], swapped),
    columns: [Float32Array.from([30, 40]), Float32Array.from([1, 1]), Float32Array.from([2, 2])],
  };
  const recording = Recording.of(later, 600_000, earlier);
  assert.deepEqual([...recording.timesMs], [1000, 2000, 3000, 4000, 6000]);
  assert.deepEqual(loads(recording), [1, 2, 30, 40, 6]);
});
