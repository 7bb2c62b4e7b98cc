import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryOutcome, Question } from '@thrum/actors/wire/question';
import { refuse } from '@thrum/actors/wire/refusal';
import { Questions } from './questions.ts';

const question = (target: string): Question => ({
  target,
  metrics: ['m'],
  host: 'h',
  fromMs: 0,
  toMs: 1,
  points: 1,
  aggregate: 'avg',
});

const desk = () => {
  const open: { target: string; answer: () => Promise<void> }[] = [];
  const answered: string[] = [];
  const questions = new Questions(
    ({ target }) => {
      const { promise, resolve } = Promise.withResolvers<HistoryOutcome>();
      open.push({
        target,
        answer: async () => {
          resolve(refuse('deadline'));
          await promise.then(() => undefined);
        },
      });
      return promise;
    },
    (key) => answered.push(key),
  );
  return { open, answered, questions };
};

test('at most four are asked at once; the next follows an answer', async () => {
  const { open, answered, questions } = desk();
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) questions.add(key, question(key));
  assert.deepEqual(
    open.map((one) => one.target),
    ['a', 'b', 'c', 'd'],
  );
  await open[1]?.answer();
  assert.deepEqual(answered, ['b']);
  assert.deepEqual(
    open.map((one) => one.target),
    ['a', 'b', 'c', 'd', 'e'],
  );
});

test('a question that waits is replaced by a newer one of the same key, one that was asked is followed by it', async () => {
  const { open, questions } = desk();
  for (const key of ['a', 'b', 'c', 'd']) questions.add(key, question(key));
  questions.add('a', question('a2'));
  questions.add('a', question('a3'));
  assert.equal(open.length, 4);
  await open[0]?.answer();
  assert.deepEqual(
    open.map((one) => one.target),
    ['a', 'b', 'c', 'd', 'a3'],
  );
});

test('answers to what was let go are not heard', async () => {
  const { open, answered, questions } = desk();
  questions.add('a', question('a'));
  questions.clear();
  assert.equal(questions.isEmpty, true);
  await open[0]?.answer();
  assert.deepEqual(answered, []);
});
