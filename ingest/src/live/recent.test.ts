import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { gauge, target } from '@thrum/actors/wire/schema';
import { readRecent } from './recent.ts';

const disks = target({
  name: 'disks',
  title: '',
  sentence: '',
  fields: [{ name: 'device', sentence: 'Which.' }],
  metrics: [gauge('usage', '%', 'Usage.')],
  charts: [],
});
const dictionary = dictionaryOf([disks]);

const answerOf = (batches: number, samplesEach: number): unknown => {
  const framed = Array.from({ length: batches }, (_, batch) => {
    const samples = Array.from({ length: samplesEach }, (_, i) => {
      return { target: 0, fields: [`d${i}`], timeMs: 1000 * batch, values: [i] };
    });
    const { bytes } = encodeBatch(dictionary, 1, batch + 1, samples);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return { dictionary: dictionary.hash, groups: [{ encoding: 'plain', bytes: Buffer.concat(framed) }] };
};

/** Turns that the event loop made while the answer was read. */
const turnsOf = async (answer: unknown, writtenEach = 0): Promise<number> => {
  let turns = 0;
  let over = false;
  const turn = (): void => {
    if (over) return;
    turns += 1;
    setImmediate(turn);
  };
  setImmediate(turn);
  const read = await readRecent(
    answer,
    () => dictionary,
    () => writtenEach,
  );
  over = true;
  assert.ok(read.ok);
  return turns;
};

test('others get their turn by what was worked through: after few large batches, not after many small ones', async () => {
  const large = await turnsOf(answerOf(12, 8000));
  assert.ok(large >= 4, `${large} turns`);
  const small = await turnsOf(answerOf(400, 2));
  assert.ok(small <= 2, `${small} turns`);
});

test('what was written for a batch counts, because a wide table makes a small batch expensive', async () => {
  const turns = await turnsOf(answerOf(10, 1), 100_000);
  assert.ok(turns >= 9, `${turns} turns`);
});
