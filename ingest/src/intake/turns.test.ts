import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

const startTurns = (perTurn: number) => {
  const next: (() => void)[] = [];
  const turns = new Turns(perTurn, (run) => void next.push(run));
  const done: number[] = [];
  const add = (...numbers: number[]): void => {
    for (const number of numbers) turns.add(() => done.push(number));
  };
  /** What one turn of the event loop does. */
  const turn = (): number[] => {
    const from = done.length;
    for (const run of next.splice(0)) run();
    return done.slice(from);
  };
  return { turns, add, turn };
};
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test('what comes at once is done in order, so many in each turn', () => {
  const { turns, add, turn } = startTurns(3);
  add(...numbers(7));
  assert.equal(turns.size, 7);
  assert.deepEqual([turn(), turn(), turn(), turn()], [[0, 1, 2], [3, 4, 5], [6], []]);
  assert.equal(turns.size, 0);
  add(7);
  assert.deepEqual([turn(), turn()], [[7], []]);
});

test('what is added meanwhile comes after what waits, also when the work itself adds it', () => {
  const { turns, add, turn } = startTurns(2);
  turns.add(() => add(10));
  add(1, 2);
  assert.deepEqual([turn(), turn(), turn()], [[1], [2, 10], []]);
});

test('thousands are done one after the other without one getting lost', () => {
  const { turns, add, turn } = startTurns(7);
  add(...numbers(5000));
  const all: number[] = [];
  for (let at = 0; at < 1000; at += 1) all.push(...turn());
  assert.deepEqual(all, numbers(5000));
  assert.equal(turns.size, 0);
});
