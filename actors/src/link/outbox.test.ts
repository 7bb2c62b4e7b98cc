import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Outbox } from './outbox.ts';
import type { Urgency } from './outbox.ts';

const bytesOf = (value: number, size = 100): Uint8Array => new Uint8Array(size).fill(value);
const drain = (outbox: Outbox, maxFrameBytes = 1): number[] => {
  const all: number[] = [];
  for (let frame = outbox.takeFrame(maxFrameBytes); frame; frame = outbox.takeFrame(maxFrameBytes))
    all.push(frame[0] ?? -1);
  return all;
};

test('messages leave in the order they came, whatever their urgency', () => {
  const outbox = new Outbox(100_000);
  const urgencies: readonly Urgency[] = ['droppable', 'ordinary', 'control', 'droppable', 'ordinary'];
  for (const [at, urgency] of urgencies.entries()) outbox.offer(bytesOf(at), urgency);
  assert.deepEqual(drain(outbox), [0, 1, 2, 3, 4]);
  assert.equal(outbox.bytes, 0);
});

test('what is queued together leaves as one frame, up to its size', () => {
  const outbox = new Outbox(100_000);
  for (let at = 0; at < 5; at += 1) outbox.offer(bytesOf(at), 'ordinary');
  assert.equal(outbox.takeFrame(300)?.byteLength, 300);
  assert.equal(outbox.takeFrame(300)?.byteLength, 200);
  outbox.offer(bytesOf(9, 5000), 'ordinary');
  assert.equal(outbox.takeFrame(300)?.byteLength, 5000);
  assert.equal(outbox.takeFrame(300), undefined);
});

test('when full the oldest droppable messages make room, for newer ones and for those that may not be dropped', () => {
  const outbox = new Outbox(4 * 164);
  for (let at = 0; at < 6; at += 1) assert.equal(outbox.offer(bytesOf(at), 'droppable'), true);
  assert.equal(outbox.offer(bytesOf(6), 'ordinary'), true);
  assert.equal(outbox.dropped, 3);
  assert.deepEqual(drain(outbox), [3, 4, 5, 6]);
});

test('when full of what may not be dropped it refuses, but never a control message', () => {
  const outbox = new Outbox(2 * 164);
  assert.deepEqual(
    (['ordinary', 'ordinary', 'ordinary', 'droppable', 'control'] as const).map((urgency, at) =>
      outbox.offer(bytesOf(at), urgency),
    ),
    [true, true, false, false, true],
  );
  assert.equal(outbox.dropped, 1);
  assert.deepEqual(drain(outbox), [0, 1, 4]);
});

test('whatever is offered, it stays within its bytes, keeps order, and loses nothing it did not count or refuse', () => {
  const offers = fc.array(
    fc.record({
      urgency: fc.constantFrom<Urgency>('ordinary', 'droppable'),
      size: fc.integer({ min: 4, max: 400 }),
      take: fc.boolean(),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(offers, (all) => {
      const outbox = new Outbox(2000);
      const firm: number[] = [];
      const left: number[] = [];
      let taken = 0;
      let refusedDroppable = 0;
      const keep = (frame: Uint8Array | undefined): void => {
        if (frame) left.push(Buffer.from(frame).readUInt32LE());
      };
      for (const [at, { urgency, size, take }] of all.entries()) {
        const bytes = Buffer.alloc(size);
        bytes.writeUInt32LE(at);
        const ok = outbox.offer(bytes, urgency);
        assert.ok(outbox.bytes <= 2000);
        if (ok) taken += 1;
        else if (urgency === 'droppable') refusedDroppable += 1;
        if (ok && urgency === 'ordinary') firm.push(at);
        if (take) keep(outbox.takeFrame(1));
      }
      for (let frame = outbox.takeFrame(1); frame; frame = outbox.takeFrame(1)) keep(frame);
      assert.deepEqual(
        left,
        left.toSorted((a, b) => a - b),
      );
      assert.deepEqual(
        firm.filter((at) => !left.includes(at)),
        [],
      );
      assert.equal(left.length, taken - (outbox.dropped - refusedDroppable));
    }),
  );
});
