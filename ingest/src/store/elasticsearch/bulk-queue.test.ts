import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWrite } from '../open-write.ts';
import type { Bulk } from './bulk.ts';
import { createBulkQueue, type BulkQueue } from './bulk-queue.ts';

const maxHeldBytes = 64 * 1024 * 1024;
const queueOf = () => createBulkQueue({ maxHeldBytes, onOpened: () => undefined, onSealed: () => undefined });
const origin = { hostId: '', hostName: '', cluster: '', labels: {}, epoch: 1, seq: 1 };
const write = openWrite(origin, 1_000_000, () => undefined);

/** Fills a bulk with documents of 10,000 bytes and takes it, as one that is sent. */
const filled = (queue: BulkQueue, documents: number): Bulk => {
  for (let i = 0; i < documents; i += 1) {
    const bulk = queue.open(10_000);
    const from = bulk.used;
    const item = { write, kind: 'sample', from, to: from + 10_000, index: 'i', i, reason: undefined, isBare: false };
    queue.add(bulk, { ...item, kind: 'sample' });
  }
  queue.seal();
  return queue.ready.shift() ?? assert.fail('no bulk');
};

test('bulks of any size are filled into the same buffer one after another, so that they leave no garbage', () => {
  const queue = queueOf();
  const first = filled(queue, 50);
  queue.drop(first);
  const held = queue.heldBytes();
  for (const documents of [50, 3, 40]) {
    const next = filled(queue, documents);
    assert.equal(next.bytes, first.bytes);
    queue.drop(next);
    assert.equal(queue.heldBytes(), held);
  }
});

test('a buffer that is on its way is never filled', () => {
  const queue = queueOf();
  queue.drop(filled(queue, 50));
  const onItsWay = [filled(queue, 50), filled(queue, 50), filled(queue, 50)];
  assert.equal(new Set(onItsWay.map(({ bytes }) => bytes)).size, 3);
  for (const bulk of onItsWay) queue.drop(bulk);
  assert.equal(filled(queue, 50).items.length, 50);
});

test('of the buffers that nothing needs a quarter of what may be held is kept, and counted', () => {
  const queue = queueOf();
  const bulks = Array.from({ length: 20 }, () => filled(queue, 300));
  assert.ok(queue.heldBytes() >= 20 * 3_000_000);
  for (const bulk of bulks) queue.drop(bulk);
  assert.ok(queue.heldBytes() <= maxHeldBytes / 4, `${queue.heldBytes()} bytes`);
  assert.ok(queue.heldBytes() >= maxHeldBytes / 8, `${queue.heldBytes()} bytes`);
});
