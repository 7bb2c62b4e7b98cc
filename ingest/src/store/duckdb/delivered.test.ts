import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDelivered, maxEpochs, withRange } from './delivered.ts';

test('a batch is had by its host, epoch and sequence together', () => {
  const delivered = createDelivered();
  delivered.add('a', 1, { from: 5, to: 5 });
  assert.equal(delivered.has('a', 1, 5), true);
  for (const [host, epoch, seq] of [
    ['b', 1, 5],
    ['a', 2, 5],
    ['a', 1, 4],
    ['a', 1, 6],
  ] as const)
    assert.equal(delivered.has(host, epoch, seq), false);
});

test('a host that delivers in order stays one range', () => {
  const delivered = createDelivered();
  for (let seq = 0; seq < 10_000; seq += 1) delivered.add('a', 1, { from: seq, to: seq });
  assert.deepEqual(delivered.rows(), [{ hostId: 'a', epoch: 1, from: 0, to: 9_999 }]);
});

test('ranges know exactly the sequences that were added, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 })), (added) => {
      const delivered = createDelivered();
      for (const seq of added) delivered.add('a', 1, { from: seq, to: seq });
      const set = new Set(added);
      for (let seq = 0; seq <= 61; seq += 1) assert.equal(delivered.has('a', 1, seq), set.has(seq));
      const rows = delivered.rows();
      for (let i = 1; i < rows.length; i += 1) assert.ok((rows[i]?.from ?? 0) > (rows[i - 1]?.to ?? 0) + 1);
    }),
  );
});

test('a host that leaves a hole after every batch cannot make the list grow without end', () => {
  let ranges = withRange([], { from: 0, to: 0 });
  for (let seq = 2; seq < 10_000; seq += 2) ranges = withRange(ranges, { from: seq, to: seq });
  assert.equal(ranges.length, 1024);
  assert.equal(ranges.at(-1)?.to, 9_998);
});

test('a host that begins a new epoch with every batch cannot make the list grow without end, nor forget those of others', () => {
  const delivered = createDelivered();
  delivered.add('b', 1, { from: 1, to: 1 });
  for (let epoch = 1; epoch <= 1_000; epoch += 1) delivered.add('a', epoch, { from: 1, to: 1 });
  assert.equal(delivered.rows().filter(({ hostId }) => hostId === 'a').length, maxEpochs);
  assert.equal(delivered.has('a', 1_000, 1), true);
  assert.equal(delivered.has('a', 1, 1), false);
  assert.equal(delivered.has('b', 1, 1), true);
});

test('the epoch that got no batch for longest is forgotten, not the one with the lowest number', () => {
  const delivered = createDelivered();
  for (let epoch = maxEpochs; epoch >= 1; epoch -= 1) delivered.add('a', epoch, { from: 1, to: 1 });
  delivered.add('a', maxEpochs, { from: 2, to: 2 });
  delivered.add('a', 0, { from: 1, to: 1 });
  assert.deepEqual([delivered.has('a', maxEpochs, 1), delivered.has('a', maxEpochs - 1, 1)], [true, false]);
});
