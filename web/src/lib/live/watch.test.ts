import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHostFrame, encodeSnapshot, type Table } from '@thrum/actors/wire/frame';
import { refuse } from '@thrum/actors/wire/refusal';
import { Watch } from './watch.svelte.ts';

const hostId = '00000000-0000-4000-8000-000000000001';
const table: Table = { id: 7, series: [{ target: 'load', fields: [], metrics: ['load1'] }] };

const frame = (seq: number, sampleMs: number, { tableId = 7, ageMs = 10, host = hostId } = {}): Uint8Array =>
  encodeHostFrame({ hostId: host, table: tableId, seq, sampleMs, ageMs, values: Float32Array.from([seq]) });

const snapshot = (seq: number, timesMs: number[], tableId = 7): Uint8Array =>
  encodeSnapshot({
    hostId,
    table: { ...table, id: tableId },
    seq,
    timesMs: Float64Array.from(timesMs),
    columns: [Float32Array.from(timesMs)],
  });

const watching = (): { watch: Watch; asked: () => number } => {
  let asked = 0;
  const watch = new Watch(hostId, () => (asked += 1));
  watch.begin(0);
  return { watch, asked: () => asked };
};

test('a snapshot fills the page at once and frames go on from it', () => {
  const { watch } = watching();
  watch.snapshot(snapshot(5, [1000, 2000]), 100, 2500, true);
  assert.equal(watch.ageMs(100), 500);
  watch.frame(frame(6, 3000), 1100, true);
  assert.deepEqual([...(watch.recording?.timesMs ?? [])], [1000, 2000, 3000]);
  assert.equal(watch.ageMs(1600), 510);
});

test('a repeated newest tick tells its age and is no new point', () => {
  const { watch } = watching();
  watch.snapshot(snapshot(5, [1000, 2000]), 100, 2000, true);
  watch.frame(frame(5, 2000, { ageMs: 9000 }), 110, true);
  assert.equal(watch.recording?.ticks, 2);
  assert.equal(watch.ageMs(110), 9000);
});

test('frames before their table wait for it', () => {
  const { watch, asked } = watching();
  const times = () => [...(watch.recording?.timesMs ?? [])];
  watch.frame(frame(8, 3000, { tableId: 9 }), 50, true);
  assert.deepEqual(times(), []);
  watch.snapshot(snapshot(7, [1000, 2000], 9), 100, 3000, true);
  assert.deepEqual(times(), [1000, 2000, 3000]);
  assert.equal(asked(), 1);
});

test('a frame of another table asks for a snapshot, not more often than every two seconds', () => {
  const { watch, asked } = watching();
  watch.snapshot(snapshot(5, [1000]), 100, 1000, true);
  for (let i = 0; i < 50; i += 1) watch.frame(frame(6 + i, 2000 + i, { tableId: 8 }), 3000 + i * 10, true);
  assert.equal(asked(), 2);
});

test('missed frames ask for a snapshot, and what comes is shown meanwhile', () => {
  const { watch, asked } = watching();
  watch.snapshot(snapshot(5, [1000]), 20_000, 1000, true);
  watch.frame(frame(9, 5000), 21_000, true);
  assert.equal(asked(), 2);
  assert.equal(watch.recording?.lastMs, 5000);
});

test('frames of another host are not taken', () => {
  const { watch } = watching();
  watch.snapshot(snapshot(5, [1000]), 100, 1000, true);
  watch.frame(frame(6, 2000, { host: '00000000-0000-4000-8000-000000000002' }), 200, true);
  assert.equal(watch.recording?.ticks, 1);
});

test('why there is no snapshot is known until one comes', () => {
  const { watch } = watching();
  watch.refused({ ...refuse('host-away'), host: hostId });
  assert.equal(watch.refusal?.code, 'host-away');
  watch.snapshot(snapshot(5, [1000]), 100, 1000, true);
  assert.equal(watch.refusal, undefined);
});

test('in a hidden tab nothing is drawn and nothing is lost', () => {
  const { watch } = watching();
  watch.snapshot(snapshot(5, [1000]), 100, 1000, true);
  const { version } = watch;
  watch.frame(frame(6, 2000), 1100, false);
  assert.equal(watch.version, version);
  watch.see();
  assert.equal(watch.version, version + 1);
  assert.equal(watch.newest?.sampleMs, 2000);
});
