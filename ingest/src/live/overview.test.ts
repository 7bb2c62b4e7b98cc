import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch, type Sample } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { decodeOverviewFrame, overviewColumns } from '@thrum/actors/wire/frame';
import { HostLive } from './host-live.ts';
import { maxAgeMs } from './overview.ts';
import { sparkFrames } from './spark-frames.ts';

const dictionary = dictionaryOf(catalogue);

const sample = (name: string, fields: string[], timeMs: number, values: Record<string, number>): Sample => {
  const target = dictionary.targets.findIndex((one) => one.name === name);
  const metrics = dictionary.targets[target]?.metrics ?? [];
  return { target, fields, timeMs, values: metrics.map((metric) => values[metric.name]) };
};

const hostOf = (hostId = '11111111-1111-1111-1111-111111111111') => {
  let tables = 0;
  const host = new HostLive({ hostId, newTableId: () => (tables += 1), publish: () => undefined });
  const take = (...samples: Sample[]): void => {
    const decoded = decodeBatch(encodeBatch(dictionary, 1, 1, samples).bytes, dictionary);
    assert.ok(decoded.ok);
    host.accept(decoded.batch, new Uint8Array(samples.length).fill(1), 0);
  };
  const figures = (): Record<string, number> => {
    const values = host.overview.figures(host.ticks);
    return Object.fromEntries(overviewColumns.map((column, i) => [column, values[i] ?? NaN]));
  };
  return { host, take, figures };
};

const tick = (timeMs: number, bytes: number): Sample[] => [
  sample('cpu', ['total'], timeMs, { usage: 42 }),
  sample('cpu', ['0'], timeMs, { usage: 99 }),
  sample('memory', [], timeMs, { usage: 61 }),
  sample('load', [], timeMs, { load1: 0.5 }),
  sample('network', ['lo'], timeMs, { received_bytes: bytes * 100, sent_bytes: bytes * 100 }),
  sample('network', ['eth0'], timeMs, { received_bytes: bytes, sent_bytes: bytes * 2 }),
  sample('network', ['eth1'], timeMs, { received_bytes: bytes, sent_bytes: bytes * 2 }),
  sample('disk', ['sda'], timeMs, { read_bytes: bytes, written_bytes: bytes * 3 }),
  sample('disk', ['sdb'], timeMs, { read_bytes: bytes }),
  sample('filesystem', ['/', 'sda1', 'ext4'], timeMs, { usage: 30 }),
  sample('filesystem', ['/data', 'sdb1', 'ext4'], timeMs, { usage: 80 }),
];

test('the figures are total cpu, memory, load, sums of networks without lo and of disks, and the fullest filesystem', () => {
  const { take, figures } = hostOf();
  take(...tick(1000, 0));
  take(...tick(2000, 500));
  assert.deepEqual(figures(), {
    cpu: 42,
    memory: 61,
    load1: 0.5,
    received: 1000,
    sent: 2000,
    disk_read: 1000,
    disk_written: 1500,
    filesystem: 80,
  });
});

test('a figure that was never measured, or not for a minute, is left out', () => {
  const { take, figures } = hostOf();
  take(sample('memory', [], 1000, { usage: 61 }));
  assert.equal(figures()['memory'], 61);
  assert.ok(Number.isNaN(figures()['cpu']));
  take(sample('cpu', ['total'], 1000 + maxAgeMs, { usage: 10 }));
  assert.equal(figures()['memory'], 61);
  take(sample('cpu', ['total'], 1001 + maxAgeMs, { usage: 10 }));
  assert.ok(Number.isNaN(figures()['memory']));
});

test('a filesystem that is measured less often keeps its place between', () => {
  const { take, figures } = hostOf();
  take(...tick(1000, 0));
  take(sample('cpu', ['total'], 2000, { usage: 10 }));
  assert.equal(figures()['filesystem'], 80);
  assert.equal(figures()['cpu'], 10);
});

test('the last minute of every host comes as frames, oldest first, about one row a second', () => {
  const first = hostOf();
  const second = hostOf('22222222-2222-2222-2222-222222222222');
  for (let ms = 0; ms < 90_000; ms += 500) {
    const values = new Float32Array(8).fill(ms);
    first.host.overview.keep({ sampleMs: ms, ageMs: 1, values });
    if (ms >= 85_000) second.host.overview.keep({ sampleMs: ms, ageMs: 1, values });
  }
  const frames = sparkFrames([first.host, second.host], 90_000).map((frame) => decodeOverviewFrame(frame) ?? []);
  assert.equal(frames.length, 60);
  assert.deepEqual(
    frames.map((rows) => rows.length),
    [...Array<number>(55).fill(1), ...Array<number>(5).fill(2)],
  );
  const times = frames.map((rows) => rows.find((row) => row.hostId.startsWith('1'))?.sampleMs ?? 0);
  assert.deepEqual(times[0], 30_000);
  assert.deepEqual(times[59], 89_000);
  assert.deepEqual(sparkFrames([first.host], 600_000), [], 'nothing of a host that stopped long ago');
});
