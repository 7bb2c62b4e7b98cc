/**
 * The files of a small queue, damaged in every way that is small enough to try them all: a bit, a cut, a page of zeros, bytes in between, files
 * that are missing, twice there, in each other's place or of another time. The queue opens, loses what was damaged and nothing else, and says so
 * with exact numbers. THRUM_FUZZ_INPUTS above the everyday number tries every bit instead of one bit of every byte.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { fuzzInputs } from '@thrum/actors/testing/fuzz';
import { checkpointNames, readCheckpoint } from './checkpoint.ts';
import type { DiskImage } from './crash-states.ts';
import type { Disk } from './disk.ts';
import * as list from './queue-ledger.ts';
import type { Position } from './queue.ts';
import { drainGaps, lookAt, openOn, openWorld } from './queue-world.contract.ts';
import { recordHeadBytes } from './record.ts';
import { recoverSegment } from './recover-segment.ts';
import { readSegmentName, segmentHeaderBytes } from './segment-format.ts';
import { simulatedDisk } from './simulated-disk.ts';

const maxBytes = 64 * 1024;
const everyBit = fuzzInputs(1) > 20_000;

type Story = {
  readonly image: DiskImage;
  readonly ledger: list.Ledger;
  readonly wallMs: number;
  readonly epoch: number;
};

/** Some segments of two starts, some records acknowledged, stopped in order (or not). */
const story = async (end: 'close' | 'kill', large = 12): Promise<Story> => {
  const world = await openWorld({ maxBytes });
  for (let i = 0; i < 6; i += 1) await world.append(1 + (i % 3));
  await world.appendEvents();
  await world.check();
  await world.ack(1, [[1, 2]], [{ seq: 2, samples: 1 }]);
  await world.advance(5000);
  await world.reopen('close');
  for (let i = 0; i < 5; i += 1) await world.append(i === 2 ? large : 1);
  await world.check();
  await world.ack(2, [[0, 0]]);
  await world.advance(5000);
  await world.check();
  const { ledger, epoch, clock, sim } = world;
  if (end === 'close') {
    await world.queue().close();
    await world.settle();
  }
  return { image: sim.image(), ledger: ledger(), wallMs: clock.wallMs() + 1000, epoch: epoch() + 1 };
};

const isSegment = (name: string): boolean => readSegmentName(name) !== undefined;
const segmentsOf = (image: DiskImage): string[] => [...image.keys()].filter(isSegment).sort();

type Place = Position & { readonly from: number; readonly to: number };
/** Where the records of a segment stand, without the zeros behind them. */
const placesIn = (
  name: string,
  bytes: Uint8Array,
): { records: Place[]; dictionaries: { from: number; to: number }[] } => {
  const found = recoverSegment(Buffer.from(bytes), readSegmentName(name) ?? assert.fail());
  assert.ok(found.kind === 'segment');
  const { index, epoch } = found;
  const records = Array.from({ length: index.count }, (_, at) => {
    const from = index.offsets[at] ?? 0;
    return { epoch, seq: index.seqs[at] ?? 0, from, to: from + recordHeadBytes + (index.payloadBytes[at] ?? 0) };
  });
  const dictionaries = found.dictionaries.map(({ offset, payloadBytes }) => ({
    ...{ from: offset, to: offset + recordHeadBytes + payloadBytes },
  }));
  return { records, dictionaries };
};

const withFile = (image: DiskImage, name: string, bytes: Uint8Array | undefined): DiskImage => {
  const changed = new Map(image);
  if (bytes) changed.set(name, bytes);
  else changed.delete(name);
  return changed;
};

type Opened = Awaited<ReturnType<typeof lookAt>>;
const look = async (from: Story, image: DiskImage, what: string): Promise<Opened> => {
  const began = process.cpuUsage();
  try {
    const found = await lookAt(image, { maxBytes, wallMs: from.wallMs, epoch: from.epoch });
    for (const gap of found.gaps)
      for (const [name, value] of Object.entries(gap))
        assert.ok(typeof value === 'string' || Number.isFinite(value), `${name} ${value} of a gap`);
    return found;
  } catch (error) {
    throw new Error(`${what}: did not open`, { cause: error });
  } finally {
    assert.ok(process.cpuUsage(began).user < 2_000_000, `${what}: I5: took too long`); // µs; the clock counts others too
  }
};

/** Every promise, with exact numbers; and nothing is gone but these. */
const losesOnly = async (from: Story, image: DiskImage, may: readonly Position[], what: string): Promise<Opened> => {
  const found = await look(from, image, what);
  try {
    const { gapped, lost } = list.judge(from.ledger, found, { crashed: true });
    const allowed = new Set(may.map(list.nameOf));
    for (const { record } of [...gapped, ...lost])
      assert.ok(allowed.has(list.nameOf(record)), `${list.nameOf(record)} is gone and was not damaged`);
    for (const { record } of gapped) {
      const gap = found.gaps.find((one) => list.covers(one, record));
      assert.equal(gap?.reason, 'damaged');
    }
  } catch (error) {
    throw new Error(what, { cause: error });
  }
  return found;
};

/** Nothing that was not appended, and what is gone is in a gap; the numbers may be wrong. */
const staysHonest = async (from: Story, image: DiskImage, what: string): Promise<Opened> => {
  const found = await look(from, image, what);
  try {
    list.judge({ ...from.ledger, isDamaged: true }, found, { crashed: true });
  } catch (error) {
    throw new Error(what, { cause: error });
  }
  return found;
};

/** Nothing of a segment is left: the others are all there, and the samples that are gone are counted. Which epoch they were of nobody knows. */
const losesWhole = async (from: Story, image: DiskImage, name: string, what: string): Promise<void> => {
  const { records } = placesIn(name, from.image.get(name) ?? assert.fail());
  const gone = new Set(records.map(list.nameOf));
  const found = await look(from, image, what);
  const waiting = [...from.ledger.entries.values()].filter(({ acked }) => acked === undefined).map((one) => one.record);
  const samples = waiting.filter((one) => gone.has(list.nameOf(one))).reduce((sum, one) => sum + one.samples, 0);
  list.checkSum(found.account);
  assert.deepEqual(
    found.records.map(list.nameOf),
    waiting.map(list.nameOf).filter((one) => !gone.has(one)),
    what,
  );
  assert.equal(found.account.gap, samples, what);
  assert.equal(
    found.gaps.reduce((sum, gap) => sum + gap.samples, 0),
    samples,
    what,
  );
  for (const gap of found.gaps)
    for (const record of found.records)
      assert.ok(!list.covers(gap, record), `${what}: ${list.nameOf(record)} is there and in a gap`);
};

const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
};

const bitsOf = (at: number): readonly number[] => (everyBit ? [0, 1, 2, 3, 4, 5, 6, 7] : [(at * 5) % 8]);

const flips = async (from: Story, t: TestContext): Promise<void> => {
  let tried = 0;
  for (const name of segmentsOf(from.image)) {
    const bytes = from.image.get(name) ?? assert.fail();
    const { records } = placesIn(name, bytes);
    for (let at = 0; at < bytes.length; at += 1)
      for (const bit of bitsOf(at)) {
        const hit = records.filter((one) => one.from <= at && at < one.to);
        await losesOnly(
          from,
          withFile(from.image, name, flipped(bytes, at, bit)),
          hit,
          `${name} byte ${at} bit ${bit}`,
        );
        tried += 1;
      }
  }
  t.diagnostic(`${tried} flips`);
};

describe('a damaged queue', () => {
  test('a flipped bit anywhere in a segment loses at most the record it is in, and the gap says which', async (t) => {
    await flips(await story('close', 2), t);
  });

  test('so it does when the agent had not stopped in order', async (t) => {
    const from = await story('kill', 2);
    // What was acknowledged or written behind the last checkpoint, nobody can count.
    let tried = 0;
    for (const name of segmentsOf(from.image)) {
      const bytes = from.image.get(name) ?? assert.fail();
      for (let at = 0; at < bytes.length; at += everyBit ? 1 : 3)
        for (const bit of bitsOf(at)) {
          await staysHonest(from, withFile(from.image, name, flipped(bytes, at, bit)), `${name} byte ${at} bit ${bit}`);
          tried += 1;
        }
    }
    t.diagnostic(`${tried} flips`);
  });

  test('a flipped bit in a checkpoint costs at most what the other one does not know yet', async () => {
    const from = await story('close');
    for (const name of checkpointNames) {
      const bytes = from.image.get(name) ?? assert.fail();
      const used = Buffer.from(bytes).readUInt32LE(8);
      for (let at = 0; at < used; at += 1)
        for (const bit of bitsOf(at))
          await staysHonest(from, withFile(from.image, name, flipped(bytes, at, bit)), `${name} byte ${at} bit ${bit}`);
      for (const at of [used, used + 1, bytes.length - 1])
        await losesOnly(from, withFile(from.image, name, flipped(bytes, at, 0)), [], `${name} unused byte ${at}`);
    }
  });

  test('a segment cut at any byte loses the records that are cut, with the exact range and count', async () => {
    const from = await story('close');
    for (const name of segmentsOf(from.image)) {
      const bytes = from.image.get(name) ?? assert.fail();
      const { records } = placesIn(name, bytes);
      for (let at = bytes.length - 1; at >= 0; at -= 1) {
        const cut = records.filter((one) => one.to > at);
        if (cut.length === records.length) {
          await losesWhole(from, withFile(from.image, name, bytes.slice(0, at)), name, `${name} cut at ${at}`);
          continue;
        }
        await losesOnly(from, withFile(from.image, name, bytes.slice(0, at)), cut, `${name} cut at ${at}`);
      }
    }
  });

  test('a checkpoint cut at any byte, or both, cost no record', async () => {
    const from = await story('close');
    for (const name of checkpointNames) {
      const bytes = from.image.get(name) ?? assert.fail();
      const used = Buffer.from(bytes).readUInt32LE(8);
      for (const at of [...Array.from({ length: used + 2 }, (_, i) => i), bytes.length - 1])
        await staysHonest(from, withFile(from.image, name, bytes.slice(0, at)), `${name} cut at ${at}`);
    }
    const without = checkpointNames.reduce<DiskImage>((image, name) => withFile(image, name, undefined), from.image);
    const found = await staysHonest(from, without, 'no checkpoints');
    assert.equal(found.records.length, from.ledger.entries.size, 'everything is there, also what was acknowledged');
    for (const name of checkpointNames)
      await staysHonest(from, withFile(without, name, new Uint8Array(0)), `only an empty ${name}`);
  });

  test('a stretch of zeros or of other bytes anywhere loses what it touches', async () => {
    const from = await story('close', 40);
    for (const name of segmentsOf(from.image)) {
      const bytes = from.image.get(name) ?? assert.fail();
      const { records } = placesIn(name, bytes);
      for (const length of [8, 64, 512, 4096])
        for (let at = 0; at < bytes.length; at += Math.max(16, length >> 2))
          for (const value of [0, 0xff]) {
            const copy = Uint8Array.from(bytes).fill(value, at, at + length);
            const hit = records.filter((one) => one.from < at + length && at < one.to);
            if (hit.length === records.length) {
              await losesWhole(from, withFile(from.image, name, copy), name, `${name} ${length} × ${value} at ${at}`);
              continue;
            }
            await losesOnly(from, withFile(from.image, name, copy), hit, `${name} ${length} × ${value} at ${at}`);
          }
    }
  });

  test('bytes put in between lose at most the record they are put into, and shift the others by what they like', async () => {
    const from = await story('close');
    for (const name of segmentsOf(from.image)) {
      const bytes = from.image.get(name) ?? assert.fail();
      const { records } = placesIn(name, bytes);
      const boundaries = records.map((one) => one.from);
      for (const at of [...boundaries, ...boundaries.map((one) => one + 20), bytes.length])
        for (const length of [8, 64, 1000]) {
          const garbage = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
          const changed = Buffer.concat([bytes.subarray(0, at), garbage, bytes.subarray(at)]);
          const hit = records.filter((one) => one.from < at && at < one.to);
          await losesOnly(from, withFile(from.image, name, changed), hit, `${name} ${length} bytes at ${at}`);
        }
    }
  });

  test('records of a segment that was there before, behind the end of a new one, are not taken for its own', async () => {
    const from = await story('close');
    const [first = '', last = ''] = segmentsOf(from.image);
    const [old, now] = [from.image.get(first) ?? assert.fail(), from.image.get(last) ?? assert.fail()];
    const stale = Buffer.concat([now, old.subarray(segmentHeaderBytes)]);
    await losesOnly(from, withFile(from.image, last, stale), [], 'stale records at the end');
    await staysHonest(from, withFile(from.image, last, old), 'bytes of another segment under this name');
  });

  test('a missing segment is a gap, one that is there twice is counted once, and two in each other’s place are no third', async () => {
    const from = await story('close');
    const names = segmentsOf(from.image);
    for (const name of names) {
      const bytes = from.image.get(name) ?? assert.fail();
      await losesWhole(from, withFile(from.image, name, undefined), name, `${name} is missing`);
      const place = readSegmentName(name) ?? assert.fail();
      for (const ordinal of [place.ordinal + 1000, 0, 2 ** 40]) {
        const twin = `${ordinal.toString(16).padStart(16, '0')}-${name.slice(17)}`;
        if (from.image.has(twin)) continue;
        await staysHonest(from, withFile(from.image, twin, bytes), `${name} also as ${twin}`);
      }
    }
    const [a = '', b = ''] = names;
    const swapped = withFile(withFile(from.image, a, from.image.get(b)), b, from.image.get(a));
    await staysHonest(from, swapped, 'swapped');
  });

  test('a gap between segments of which no record can be read has numbers and times all the same', async () => {
    const from = await story('close');
    const [first = '', second = ''] = segmentsOf(from.image);
    const headOnly = (name: string): Uint8Array => {
      const bytes = Buffer.from(from.image.get(name) ?? assert.fail());
      return bytes.fill(0, segmentHeaderBytes);
    };
    const gone = withFile(from.image, first, undefined);
    const { gaps } = await staysHonest(from, withFile(gone, second, headOnly(second)), 'one gone, one empty');
    assert.ok(gaps.length > 0);
    await staysHonest(from, withFile(from.image, first, headOnly(first)), 'the first one empty');
  });

  test('a segment that could not be opened is missing, and does not come back when it can be', async () => {
    const from = await story('close');
    const [first = ''] = segmentsOf(from.image);
    const sim = simulatedDisk({ image: from.image });
    const failing: Disk = {
      ...sim.disk,
      open: (name, create) =>
        name === first && !create ? Promise.reject(new Error('EIO')) : sim.disk.open(name, create),
    };
    const open = (disk: Disk, epoch: number) => openOn(disk, fakeClock(from.wallMs + epoch), epoch, { maxBytes });
    const queue = await open(failing, from.epoch);
    const before = queue.account();
    assert.ok(before.gap > 0);
    assert.equal(
      drainGaps(queue).reduce((sum, { samples }) => sum + samples, 0),
      before.gap,
    );
    await queue.close();
    const again = await open(sim.disk, from.epoch + 1);
    assert.deepEqual(again.account(), before);
    await again.close();
  });

  test('segments of which nobody knows what was in them are a gap of nobody knows how many', async () => {
    const from = await story('close');
    let image = from.image;
    for (const name of checkpointNames) image = withFile(image, name, undefined);
    for (const name of segmentsOf(image)) image = withFile(image, name, new Uint8Array(500));
    const { gaps } = await staysHonest(from, image, 'nothing can be read');
    assert.deepEqual(
      gaps.map(({ reason, samples, firstSeq, lastSeq }) => ({ reason, samples, firstSeq, lastSeq })),
      [{ reason: 'damaged', samples: 0, firstSeq: 0, lastSeq: -1 }],
    );
  });

  test('files that are none of the queue’s are left alone', async () => {
    const from = await story('close');
    let image = from.image;
    const names = ['lost+found', '.seg', 'zzzz-zz.seg', '0000000000000001.seg', 'checkpoint-c', 'x'.repeat(200)];
    for (const name of names) image = withFile(image, name, new Uint8Array(300).fill(7));
    const found = await losesOnly(from, image, [], 'files of others');
    for (const name of names) assert.ok(found.sim.image().has(name), `${name} was removed`);
  });

  test('without checkpoints the samples of a segment that cannot be read are a gap, and not stored', async () => {
    const world = await openWorld({ maxBytes });
    for (let i = 0; i < 60; i += 1) await world.append(20);
    await world.reopen('kill');
    const image = world.sim.image();
    for (const name of segmentsOf(image).slice(0, -1)) {
      const { records } = placesIn(name, image.get(name) ?? assert.fail());
      let without = withFile(image, name, Buffer.alloc(image.get(name)?.length ?? 0));
      for (const checkpoint of checkpointNames) without = withFile(without, checkpoint, undefined);
      const found = await lookAt(without, { maxBytes, wallMs: world.clock.wallMs(), epoch: 9 });
      assert.deepEqual(found.account, {
        ...{ produced: 1200, stored: 0, refused: 0 },
        ...{ gap: records.length * 20, queued: 1200 - records.length * 20 },
      });
      assert.equal(
        found.gaps.reduce((sum, gap) => sum + gap.samples, 0),
        records.length * 20,
      );
    }
    assert.ok(segmentsOf(image).length > 2);
  });

  test('an old checkpoint beside newer segments brings acknowledged records back and loses none', async () => {
    const from = await story('close');
    const slots = checkpointNames.map((name) => ({
      name,
      found: readCheckpoint(Buffer.from(from.image.get(name) ?? [])),
    }));
    const older = slots.find(
      ({ found }) =>
        found.kind === 'checkpoint' &&
        slots.every(
          ({ found: other }) =>
            other.kind !== 'checkpoint' || other.checkpoint.generation >= found.checkpoint.generation,
        ),
    );
    const bytes = from.image.get(older?.name ?? '') ?? assert.fail();
    let image = from.image;
    for (const name of checkpointNames) image = withFile(image, name, bytes);
    await staysHonest(from, image, 'only the older checkpoint');
  });

  test('files of a newer version are left as they are, and the queue goes on beside them', async () => {
    const from = await story('close');
    for (const name of [...segmentsOf(from.image), ...checkpointNames]) {
      const bytes = Buffer.from(from.image.get(name) ?? assert.fail());
      bytes.writeUInt16LE(99, 4);
      const { crc32 } = await import('node:zlib');
      if (isSegment(name)) bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124);
      else {
        const used = bytes.readUInt32LE(8);
        bytes.writeUInt32LE(crc32(bytes.subarray(16, used), crc32(bytes.subarray(0, 12))), 12);
      }
      const found = await look(from, withFile(from.image, name, bytes), `${name} of version 99`);
      list.checkSum(found.account);
      const kept = [...found.sim.image().values()].some((one) => Buffer.compare(one, bytes) === 0);
      assert.ok(kept, `${name} of version 99 was not kept as it was`);
    }
  });
});
