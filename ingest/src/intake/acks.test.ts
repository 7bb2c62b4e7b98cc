import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ackSchema } from '@thrum/actors/wire/ingest-to-agent';
import { Acks } from './acks.ts';

test('batches that are done become ranges, in whatever order they end', () => {
  const acks = new Acks();
  for (const seq of [5, 3, 4, 9, 8, 1]) acks.add(1, seq, []);
  assert.deepEqual(acks.drain(), [
    {
      epoch: 1,
      ranges: [
        [1, 1],
        [3, 5],
        [8, 9],
      ],
      refused: [],
    },
  ]);
  assert.ok(acks.empty);
  assert.deepEqual(acks.drain(), []);
});

test('each epoch gets a message of its own', () => {
  const acks = new Acks();
  acks.add(1, 7, []);
  acks.add(2, 8, []);
  assert.deepEqual(
    acks.drain().map((ack) => [ack.epoch, ack.ranges]),
    [
      [1, [[7, 7]]],
      [2, [[8, 8]]],
    ],
  );
});

test('a batch acknowledged twice is in one range', () => {
  const acks = new Acks();
  for (const seq of [1, 2, 2, 3]) acks.add(1, seq, []);
  assert.deepEqual(acks.drain()[0]?.ranges, [[1, 3]]);
});

test('refused samples are told with their batch, and every message fits the schema', () => {
  const acks = new Acks();
  for (let seq = 0; seq < 10_000; seq += 2)
    acks.add(1, seq, [{ code: 'time-past', samples: 1, detail: 'x'.repeat(5000) }]);
  const all = acks.drain();
  for (const ack of all) assert.ok(ackSchema.safeParse(ack).success);
  assert.equal(
    all.reduce((sum, ack) => sum + ack.ranges.length, 0),
    5000,
  );
  assert.deepEqual(all[0]?.refused[1]?.seq, 2);
});
