import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, after } from 'node:test';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock, type FakeClock } from '@thrum/actors/testing/fake-clock';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { openDiskQueue, type DiskQueue } from './disk-queue.ts';
import { openFileDisk } from './file-disk.ts';
import type { Disk } from './disk.ts';
import { queueContract } from './queue.contract.ts';
import type { Gap, QueuedBatch } from './queue.ts';
import { segmentHeaderBytes, segmentVersion } from './segment-format.ts';
import { simulatedDisk } from './simulated-disk.ts';

const host = '0b54e1f2-9c1d-4c0e-8d7a-3f1f6a5b2c4d';
const dictionary = dictionaryOf([load]);
const all = { maxBatches: 100_000, maxBytes: 1e9 };
const wallMs = 1_790_000_000_000;

const batch = (epoch: number, seq: number, timeMs = wallMs + seq * 1000): QueuedBatch => {
  const { bytes } = encodeBatch(dictionary, epoch, seq, [{ target: 0, fields: [], timeMs, values: [seq, 0, 0] }]);
  return { kind: 'batch', epoch, seq, timeMs, dictionary: dictionary.hash, samples: 1, bytes };
};

type Options = Partial<Parameters<typeof openDiskQueue>[0]>;
const openAt = (directory: string, options: Options = {}): Promise<DiskQueue> =>
  openDiskQueue({
    ...{ disk: openFileDisk(directory), host, epoch: 1, maxBytes: 1e7, maxAgeMs: 72 * 3_600_000 },
    ...{ clock: systemClock, log: silentLog, ...options },
  });
const names = async (queue: DiskQueue): Promise<string[]> =>
  (await queue.read(undefined, all)).map(({ epoch, seq }) => `${epoch}/${seq}`);
const segmentsIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .toSorted();

/** The first gap, as soon as it may be told. */
const gapOf = async (queue: DiskQueue, clock: FakeClock): Promise<Gap> => {
  await eventually(() => {
    clock.advance(100);
    return queue.nextGap() !== undefined;
  });
  return queue.nextGap() ?? assert.fail();
};

const cleanUp: (() => void)[] = [];
after(() => cleanUp.forEach((run) => run()));
queueContract('disk', ({ maxBytes }) =>
  openAt(join(temporaryDirectory({ after: (run) => cleanUp.push(run) }), 'queue'), { maxBytes }),
);

describe('the queue on a real disk', () => {
  it('holds after an orderly stop what it held before, and says that it was clean', async (t) => {
    const directory = join(temporaryDirectory(t), 'queue');
    const first = await openAt(directory);
    assert.deepEqual(first.found, { lastSampleMs: undefined, wasClean: true, lastEpoch: undefined, batches: 0 });
    for (let seq = 0; seq < 10; seq += 1) await first.append(batch(1, seq), dictionary);
    first.ack(1, [[2, 4]], [{ seq: 3, samples: 1 }]);
    const account = first.account();
    await first.close();
    const second = await openAt(directory, { epoch: 2 });
    assert.deepEqual(second.found, { lastSampleMs: wallMs + 9000, wasClean: true, lastEpoch: 1, batches: 7 });
    assert.deepEqual(await names(second), ['1/0', '1/1', '1/5', '1/6', '1/7', '1/8', '1/9']);
    assert.deepEqual(second.account(), account);
    assert.deepEqual(await second.dictionary(dictionary.hash), dictionary);
    assert.equal(second.nextGap(), undefined);
    await second.close();
  });

  it('removes the files of what was acknowledged', async (t) => {
    const directory = join(temporaryDirectory(t), 'queue');
    const queue = await openAt(directory, { maxBytes: 40_000 });
    for (let seq = 0; seq < 100; seq += 1) await queue.append(batch(1, seq), dictionary);
    const before = segmentsIn(directory).length;
    queue.ack(1, [[0, 99]]);
    await eventually(() => assert.equal(segmentsIn(directory).length, 1));
    assert.ok(before > 3);
    await queue.close();
    assert.deepEqual(segmentsIn(directory), []);
  });

  it('begins empty, degraded, where nothing can be made, and comes back when it can', async () => {
    const clock = fakeClock(wallMs);
    const sim = simulatedDisk({});
    sim.fill(0);
    const queue = await openDiskQueue({
      disk: sim.disk,
      host,
      epoch: 1,
      maxBytes: 1e6,
      maxAgeMs: 1e9,
      clock,
      log: silentLog,
    });
    await queue.append(batch(1, 0), dictionary);
    assert.deepEqual(queue.durability(), { state: 'degraded', detail: 'the disk is full: kept in memory' });
    assert.deepEqual(await names(queue), ['1/0']);
    sim.freeSpace();
    await eventually(() => {
      clock.advance(1000);
      assert.equal(queue.durability().state, 'durable');
    });
    assert.deepEqual(await names(queue), ['1/0']);
    await queue.close();
  });

  it('keeps a directory it cannot list aside, and says so as a gap', async (t) => {
    const parent = temporaryDirectory(t);
    const directory = join(parent, 'queue');
    writeFileSync(directory, 'a file where the directory should be');
    const lines: string[] = [];
    const log: Log = { ...silentLog, error: (_fields, message) => void lines.push(message) };
    const queue = await openAt(directory, { log });
    assert.match(lines[0] ?? '', /kept aside/);
    assert.deepEqual(readdirSync(parent).toSorted(), ['damaged-queue-1', 'queue']);
    assert.equal(queue.nextGap()?.reason, 'damaged');
    await queue.append(batch(1, 0), dictionary);
    assert.deepEqual(await names(queue), ['1/0']);
    await queue.close();
  });

  it('leaves a directory alone that cannot be listed now, and begins no empty queue in its place', async (t) => {
    const directory = join(temporaryDirectory(t), 'queue');
    const first = await openAt(directory);
    await first.append(batch(1, 0), dictionary);
    await first.close();
    for (const code of ['EMFILE', 'EACCES', 'ENOENT', 'ENFILE']) {
      const list = () => Promise.reject(Object.assign(new Error(code), { code }));
      await assert.rejects(openAt(directory, { epoch: 2, disk: { ...openFileDisk(directory), list } }), { code });
    }
    const second = await openAt(directory, { epoch: 2 });
    assert.deepEqual(await names(second), ['1/0']);
    await second.close();
    const away = join(directory, 'not-mounted', 'queue');
    await assert.rejects(openAt(away), { code: 'ENOENT' });
  });

  it('leaves a file of a newer version alone under another name', async (t) => {
    const directory = join(temporaryDirectory(t), 'queue');
    const first = await openAt(directory);
    await first.append(batch(1, 0), dictionary);
    await first.close();
    const [name = ''] = segmentsIn(directory);
    const { crc32 } = await import('node:zlib');
    const bytes = readFileSync(join(directory, name));
    bytes.writeUInt16LE(segmentVersion + 1, 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, segmentHeaderBytes - 4)), segmentHeaderBytes - 4);
    writeFileSync(join(directory, name), bytes);
    const lines: string[] = [];
    const log: Log = { ...silentLog, error: (_fields, message) => void lines.push(message) };
    const second = await openAt(directory, { epoch: 2, log });
    assert.deepEqual(await names(second), []);
    assert.match(lines.join(), /newer version 2/);
    assert.deepEqual(readFileSync(join(directory, `newer-${name}`)), bytes);
    const { produced, gap } = second.account();
    assert.deepEqual([produced, gap], [1, 1]);
    await second.append(batch(2, 0), dictionary);
    await second.close();
    // The newer program comes back: here one that can read version 1.
    bytes.writeUInt16LE(segmentVersion, 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, segmentHeaderBytes - 4)), segmentHeaderBytes - 4);
    writeFileSync(join(directory, `newer-${name}`), bytes);
    const third = await openAt(directory, { epoch: 3 });
    assert.deepEqual(await names(third), ['1/0', '2/0'], 'in its place, before what came later');
    assert.deepEqual(third.account(), { produced: 2, stored: 0, refused: 0, gap: 0, queued: 2 });
    assert.deepEqual(await third.dictionary(dictionary.hash), dictionary);
    await third.append(batch(3, 0), dictionary);
    assert.equal(third.ack(1, [[0, 0]]), 1);
    await third.close();
    const fourth = await openAt(directory, { epoch: 4 });
    assert.deepEqual(await names(fourth), ['2/0', '3/0']);
    assert.deepEqual(fourth.account(), { produced: 3, stored: 1, refused: 0, gap: 0, queued: 2 });
    await fourth.close();
  });

  it('begins degraded where its directory cannot be made, and makes it when that can be done', async (t) => {
    const directory = join(temporaryDirectory(t), 'queue');
    const real = openFileDisk(directory);
    for (const code of ['ENOSPC', 'EDQUOT', 'EROFS']) {
      let isBlocked = true;
      const orFail = async <T>(run: () => Promise<T>): Promise<T> => {
        if (isBlocked) throw Object.assign(new Error(code), { code });
        return run();
      };
      const disk: Disk = {
        ...real,
        list: () => orFail(() => real.list()),
        open: (name, create) => orFail(() => real.open(name, create)),
      };
      const clock = fakeClock(wallMs);
      const queue = await openAt(directory, { disk, clock });
      await queue.append(batch(1, 0), dictionary);
      assert.equal(queue.durability().state, 'degraded');
      assert.equal(existsSync(directory), false);
      isBlocked = false;
      await eventually(() => {
        clock.advance(1000);
        assert.equal(queue.durability().state, 'durable');
      });
      await queue.close();
      const again = await openAt(directory, { epoch: 2 });
      assert.deepEqual(await names(again), ['1/0']);
      await again.close();
      rmSync(directory, { recursive: true });
    }
  });

  it('reads a queue that version 1 wrote', async (t) => {
    const fixture = join(import.meta.dirname, 'fixtures', 'queue-v1');
    const directory = join(temporaryDirectory(t), 'queue');
    mkdirSync(directory);
    for (const name of readdirSync(fixture)) copyFileSync(join(fixture, name), join(directory, name));
    const queue = await openAt(directory, { epoch: 9, clock: fakeClock(wallMs + 60_000) });
    assert.deepEqual(queue.found, { lastSampleMs: wallMs + 7000, wasClean: false, lastEpoch: 2, batches: 6 });
    assert.deepEqual(await names(queue), ['1/1', '1/2', '2/4', '2/5', '2/6', '2/7']);
    const read = await queue.read(undefined, all);
    for (const one of read) assert.deepEqual(Buffer.from(one.bytes), Buffer.from(batch(one.epoch, one.seq).bytes));
    assert.deepEqual(await queue.dictionary(dictionary.hash), dictionary);
    assert.deepEqual(queue.account(), { produced: 8, stored: 1, refused: 1, gap: 0, queued: 6 });
    assert.deepEqual(queue.nextGap(), {
      ...{ id: 'unclean-2-8-in-9', epoch: 2, firstSeq: 8, lastSeq: 7, batches: 0, samples: 0, bytes: 0 },
      ...{ fromMs: wallMs + 7000, toMs: wallMs + 60_000, reason: 'unclean' },
    });
    await queue.close();
  });
});

describe('age', () => {
  it('gives up what waited too long, whatever the wall clock says', async () => {
    const clock = fakeClock(wallMs);
    const sim = simulatedDisk({});
    const queue = await openDiskQueue({
      ...{ disk: sim.disk, host, epoch: 1, maxBytes: 1e6, maxAgeMs: 3_600_000, clock, log: silentLog },
    });
    await queue.append(batch(1, 0), dictionary);
    clock.stepWall(10 * 3_600_000);
    clock.advance(3_000_000);
    await queue.append(batch(1, 1), dictionary);
    assert.deepEqual(await names(queue), ['1/0', '1/1']);
    clock.advance(1_000_000);
    await eventually(async () => {
      clock.advance(1);
      assert.deepEqual(await names(queue), ['1/1']);
    });
    const gap = await gapOf(queue, clock);
    assert.deepEqual([gap.reason, gap.firstSeq, gap.lastSeq, gap.samples], ['age', 0, 0, 1]);
    await queue.close();
  });
});

describe('degraded', () => {
  it('keeps the newest in memory within its bound, tells the rest as a gap, and writes what it kept', async () => {
    const clock = fakeClock(wallMs);
    const sim = simulatedDisk({});
    const queue = await openDiskQueue({
      ...{ disk: sim.disk, host, epoch: 1, maxBytes: 1e6, maxAgeMs: 1e9, clock, log: silentLog, ringBytes: 4000 },
    });
    await queue.append(batch(1, 0), dictionary);
    sim.failNext({ op: 'sync', code: 'EIO', times: 1000 });
    for (let seq = 1; seq < 100; seq += 1) await queue.append(batch(1, seq), dictionary);
    assert.equal(queue.durability().detail, 'the disk fails: kept in memory');
    const kept = (await names(queue)).length;
    assert.ok(kept > 5 && kept < 50);
    assert.equal(queue.ack(1, [[98, 98]]), 1);
    const { produced, stored, gap, queued } = queue.account();
    assert.deepEqual([produced, stored, queued], [100, 1, kept - 1]);
    sim.heal();
    await eventually(() => {
      clock.advance(1000);
      assert.equal(queue.durability().state, 'durable');
    });
    const told = await gapOf(queue, clock);
    assert.deepEqual([told.reason, told.samples, told.firstSeq], ['disk', gap, 1]);
    await queue.close();
    const again = await openDiskQueue({
      ...{ disk: sim.disk, host, epoch: 2, maxBytes: 1e6, maxAgeMs: 1e9, clock, log: silentLog },
    });
    assert.equal((await names(again)).length, kept - 1);
    assert.deepEqual(again.account(), { produced: 100, stored: 1, refused: 0, gap, queued: kept - 1 });
    await again.close();
  });
});

it('takes no more space than its limit', async (t) => {
  const directory = join(temporaryDirectory(t), 'queue');
  const queue = await openAt(directory, { maxBytes: 100_000 });
  for (let seq = 0; seq < 3000; seq += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => queue.append(batch(1, seq + i), dictionary)));
    const bytes = segmentsIn(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    assert.ok(bytes <= 100_000, `${bytes} bytes`);
  }
  assert.ok(queue.size().dropped > 1000);
  await queue.close();
});
