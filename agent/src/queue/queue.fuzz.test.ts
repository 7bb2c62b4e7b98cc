/**
 * Damaged files of a queue, made at random: segments and checkpoints, with wrong checksums as damage leaves them, and with right ones as a
 * program gone wrong would. The queue opens, gives back nothing that was not appended while the checksums are wrong, and says why what is
 * missing is missing; `queue inspect` reads the same files.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { fuzz, fuzzInputs, fuzzSeed } from '@thrum/actors/testing/fuzz';
import { mutations } from '@thrum/actors/testing/mutations';
import { seededRandom } from '@thrum/actors/testing/random';
import { readCheckpoint } from './checkpoint.ts';
import type { DiskImage } from './crash-states.ts';
import { inspectQueue, type QueueFiles } from './inspect.ts';
import * as list from './queue-ledger.ts';
import type { QueuedBatch } from './queue.ts';
import { lookAt, openWorld } from './queue-world.contract.ts';
import { recoverSegment } from './recover-segment.ts';
import { readSegmentName } from './segment-format.ts';

const maxBytes = 64 * 1024;
const share = (part: number): number => Math.max(20, Math.floor(fuzzInputs(5000) * part));
const seed = fuzzSeed();

const story = async (): Promise<{ image: DiskImage; ledger: list.Ledger; wallMs: number; epoch: number }> => {
  const world = await openWorld({ maxBytes });
  for (let start = 0; start < 3; start += 1) {
    for (let i = 0; i < 5; i += 1) await world.append(1 + i * 7, { words: i % 2 === 0 ? 0 : 1 });
    await world.appendEvents();
    await world.ack(world.epoch(), [[1, 2]], [{ seq: 1, samples: 2 }]);
    await world.advance(2000);
    if (start < 2) await world.reopen(start === 0 ? 'close' : 'kill');
  }
  return { image: world.sim.image(), ledger: world.ledger(), wallMs: world.clock.wallMs() + 50, epoch: 9 };
};

/** Makes the checksums of a segment right again: of its header and of each record that can still be followed. */
const signSegment = (bytes: Buffer, salt: number): void => {
  if (bytes.length < 128) return;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124);
  for (let at = 128; at + 64 <= bytes.length;) {
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, at + 60), salt), at + 60);
    const end = at + 64 + bytes.readUInt32LE(at + 12);
    if (end > bytes.length) return;
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, end), salt), at + 4);
    at = (end + 7) & ~7;
  }
};

const signCheckpoint = (bytes: Buffer): void => {
  if (bytes.length < 160) return;
  const used = bytes.readUInt32LE(8);
  if (used < 16 || used > bytes.length) return;
  bytes.writeUInt32LE(crc32(bytes.subarray(16, used), crc32(bytes.subarray(0, 12))), 12);
};

/** Samples that were safe, not acknowledged, and cannot be read. */
const missing = (ledger: list.Ledger, records: readonly QueuedBatch[]): number => {
  const there = new Set(records.map(list.nameOf));
  let samples = 0;
  for (const [name, { acked, record }] of ledger.entries)
    if (acked === undefined && !there.has(name)) samples += record.samples;
  return samples;
};

const filesOf = (image: DiskImage): QueueFiles => ({
  list: () => Promise.resolve([...image.keys()]),
  read: (name, bytes) => Promise.resolve(image.get(name) && Buffer.from(image.get(name) ?? []).subarray(0, bytes)),
});

const usedOf = (name: string, bytes: Uint8Array): Uint8Array =>
  name.startsWith('checkpoint') ? bytes.subarray(0, 600) : bytes;

test('a queue whose files were damaged opens, and invents nothing', async (t) => {
  const { image, ledger, wallMs, epoch } = await story();
  const mutate = mutations({ seed });
  const random = seededRandom(seed);
  const names = [...image.keys()].sort();
  const others = names.map((name) => usedOf(name, image.get(name) ?? new Uint8Array(0)));
  const totals = await fuzz({
    ...{ name: 'queue files', inputs: share(0.15), seed, limitMs: 20000 },
    next: () => {
      const changed = new Map(image);
      for (let left = random() < 0.7 ? 1 : 3; left > 0; left -= 1) {
        const name = names[Math.floor(random() * names.length)] ?? '';
        const bytes = Buffer.from(mutate(usedOf(name, changed.get(name) ?? new Uint8Array(0)), others));
        const place = readSegmentName(name);
        const signed = random() < 0.5;
        if (signed && place) signSegment(bytes, place.salt);
        else if (signed) signCheckpoint(bytes);
        changed.set(name, bytes);
        if (signed) changed.set('signed', new Uint8Array(0));
        changed.set(place ? `segment ${place.ordinal}` : 'a checkpoint', new Uint8Array(0));
      }
      return changed;
    },
    take: async (files) => {
      const found = await lookAt(files, { maxBytes, wallMs, epoch });
      // Numbers that no damage makes, because their checksum is right, are only survived.
      const isSigned = files.has('signed');
      const segments = [...files.keys()].filter((name) => name.startsWith('segment ')).length;
      const isCheckpoint = files.has('a checkpoint');
      if (!isSigned) list.checkRecords({ ...ledger, isDamaged: true }, found.records);
      if (!isSigned) list.checkSum(found.account);
      // With several segments damaged their neighbors do not know the numbers any more, with a checkpoint too not even how many samples.
      if (!isSigned && segments > 1 && !isCheckpoint) assert.ok(found.account.gap >= missing(ledger, found.records));
      if (!isSigned && (segments === 0 || (segments === 1 && !isCheckpoint)))
        list.judge({ ...ledger, isDamaged: true }, found, { crashed: true });
      await found.queue.close();
      let lines = 0;
      for await (const line of inspectQueue(filesOf(files), { records: true })) {
        JSON.stringify(line);
        lines += 1;
      }
      assert.ok(lines > 0);
      return `${isSigned ? 'signed' : 'damaged'}: ${found.gaps.length > 0 ? 'gaps' : 'nothing is missing'}`;
    },
  });
  t.diagnostic(JSON.stringify(totals));
});

test('bytes that are no segment, and bytes that nearly are one, are read in linear time and never throw', async (t) => {
  const { image } = await story();
  const name = [...image.keys()].find((one) => readSegmentName(one)) ?? assert.fail();
  const place = readSegmentName(name) ?? assert.fail();
  const bytes = image.get(name) ?? assert.fail();
  const mutate = mutations({ seed: seed + 1 });
  const random = seededRandom(seed + 1);
  const totals = await fuzz({
    ...{ name: 'segments', inputs: share(0.5), seed, limitMs: 2000 },
    next: () => {
      const changed = Buffer.from(mutate(bytes, [bytes]));
      if (random() < 0.5) signSegment(changed, place.salt);
      return changed;
    },
    take: (input) => {
      const found = recoverSegment(input, place);
      if (found.kind !== 'segment') return found.kind;
      const { index, damage } = found;
      for (let at = 0; at < index.count; at += 1) {
        const end = (index.offsets[at] ?? 0) + 64 + (index.payloadBytes[at] ?? 0);
        assert.ok(end <= input.length, 'a record beyond the file');
        assert.ok(at === 0 || (index.seqs[at] ?? 0) > (index.seqs[at - 1] ?? 0), 'records out of order');
      }
      return damage.length > 0 ? 'damage' : 'whole';
    },
  });
  t.diagnostic(JSON.stringify(totals));
});

test('bytes that are no checkpoint are refused, those that are one by their checksum are read', async (t) => {
  const { image } = await story();
  const bytes = (image.get('checkpoint-a') ?? assert.fail()).subarray(0, 1000);
  const mutate = mutations({ seed: seed + 2 });
  const random = seededRandom(seed + 2);
  const totals = await fuzz({
    ...{ name: 'checkpoints', inputs: share(0.35), seed, limitMs: 2000 },
    next: () => {
      const changed = Buffer.from(mutate(bytes, [bytes]));
      if (random() < 0.7) signCheckpoint(changed);
      return changed;
    },
    take: (input) => readCheckpoint(input).kind,
  });
  t.diagnostic(JSON.stringify(totals));
});
