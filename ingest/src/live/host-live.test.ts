import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch, type Batch } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { decodeHostFrame, type HostFrame } from '@thrum/actors/wire/frame';
import { counter, target } from '@thrum/actors/wire/schema';
import { HostLive } from './host-live.ts';

const disks = target({
  name: 'disks',
  title: '',
  sentence: '',
  fields: [{ name: 'device', sentence: 'Which.' }],
  metrics: [counter('reads', 'count', 'Reads.')],
  charts: [],
});
const dictionary = dictionaryOf([disks]);
const all = new Uint8Array(1000).fill(1);

const batchOf = (timeMs: number, devices: readonly string[], reads = timeMs): Batch => {
  const samples = devices.map((device) => ({ target: 0, fields: [device], timeMs, values: [reads] }));
  const decoded = decodeBatch(encodeBatch(dictionary, 1, 1, samples).bytes, dictionary);
  assert.ok(decoded.ok);
  return decoded.batch;
};
const hostWith = () => {
  const frames: HostFrame[] = [];
  let tables = 0;
  const host = new HostLive({
    hostId: '11111111-1111-1111-1111-111111111111',
    newTableId: () => (tables += 1),
    publish: (bytes) => frames.push(decodeHostFrame(bytes) ?? assert.fail('no frame')),
  });
  host.watched = true;
  host.greet({ boot: 'first', dictionary: 'd', offsetMs: 0 });
  return { host, frames };
};

test('a sample of a wrong clock is dated by ours, and its age is the time it took to get here', () => {
  const { host, frames } = hostWith();
  host.greet({ boot: 'first', dictionary: 'd', offsetMs: 3_600_000 });
  host.accept(batchOf(1_000, ['sda']), all, 3_601_025);
  assert.deepEqual([frames[0]?.sampleMs, frames[0]?.ageMs], [3_601_000, 25]);
});

test('a sample is never newer than its arrival: an offset that says so was measured too large', () => {
  const { host, frames } = hostWith();
  host.greet({ boot: 'first', dictionary: 'd', offsetMs: 80 });
  host.accept(batchOf(1_000, ['sda']), all, 1_005);
  host.accept(batchOf(2_000, ['sda']), all, 2_015);
  assert.deepEqual(
    frames.map(({ sampleMs, ageMs }) => [sampleMs, ageMs]),
    [
      [1_005, 0],
      [2_005, 10],
    ],
  );
});

test('one sample from a clock that jumped ahead does not make those after it look old', () => {
  const { host, frames } = hostWith();
  host.accept(batchOf(1_000, ['sda']), all, 1_000);
  host.accept(batchOf(200_000, ['sda']), all, 2_000);
  host.accept(batchOf(3_000, ['sdb']), all, 3_000);
  assert.equal(frames[1]?.ageMs, 0);
  assert.equal(frames[2]?.ageMs, 2_000);
});

test('another dictionary begins a new table, another start of the agent does not but begins its counters anew', () => {
  const { host, frames } = hostWith();
  host.accept(batchOf(1_000, ['sda']), all, 1_000);
  host.greet({ boot: 'second', dictionary: 'd', offsetMs: 0 });
  host.accept(batchOf(2_000, ['sda']), all, 2_000);
  host.accept(batchOf(3_000, ['sda']), all, 3_000);
  host.greet({ boot: 'third', dictionary: 'other', offsetMs: 0 });
  host.accept(batchOf(4_000, ['sda']), all, 4_000);
  assert.deepEqual(
    frames.map(({ table, seq, values }) => [table, seq, values[0]]),
    [
      [1, 1, Number.NaN],
      [1, 2, Number.NaN],
      [1, 3, 1000],
      [2, 4, Number.NaN],
    ],
  );
});

test('a table that is mostly of series that are gone gives way to a new one, and what was recorded says so', () => {
  const { host, frames } = hostWith();
  const many = Array.from({ length: 100 }, (_, i) => `d${i}`);
  host.accept(batchOf(1_000, many), all, 1_000);
  host.accept(batchOf(2_000, many.slice(0, 10)), all, 2_000);
  host.tidy();
  assert.equal(host.table.id, 1, 'they may come back');
  host.accept(batchOf(900_000, many.slice(0, 10)), all, 900_000);
  const { recording } = host.record();
  host.tidy();
  assert.equal(recording.complete, false);
  host.accept(batchOf(901_000, many.slice(0, 10)), all, 901_000);
  assert.deepEqual([frames.at(-1)?.table, frames.at(-1)?.values.length], [2, 10]);
});

test('a recording keeps every tick until it is stopped, and says when it could not', () => {
  const { host } = hostWith();
  const { recording, stop } = host.record();
  for (let i = 1; i <= 3; i += 1) host.accept(batchOf(i * 1000, ['sda']), all, i * 1000);
  stop();
  host.accept(batchOf(4_000, ['sda']), all, 4_000);
  assert.deepEqual(recording.timesMs, [1000, 2000, 3000]);
  assert.ok(recording.complete);
  const endless = host.record().recording;
  for (let i = 5; i <= 1_005; i += 1) host.accept(batchOf(i * 1000, ['sda']), all, i * 1000);
  assert.equal(endless.complete, false);
});

test('a recording of very wide rows ends before it takes more memory than a snapshot may', () => {
  const { host } = hostWith();
  host.watched = false;
  host.accept(
    batchOf(
      1_000,
      Array.from({ length: 1000 }, (_, i) => `a${i}`),
    ),
    all,
    1_000,
  );
  for (let part = 1; part < 8; part += 1)
    host.accept(
      batchOf(
        1_000,
        Array.from({ length: 1000 }, (_, i) => `${part}-${i}`),
      ),
      all,
      1_000,
    );
  const { recording } = host.record();
  for (let i = 2; i <= 900; i += 1) host.accept(batchOf(i * 1000, ['a0']), all, i * 1000);
  assert.equal(recording.complete, false);
  assert.equal(recording.rows.length, 750);
});
