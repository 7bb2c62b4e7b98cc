import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingLine } from './waiting-line.ts';

const anybody = (_address: string): boolean => true;
/** `a1` comes from the address `a`. */
const lineOf = (
  names: readonly string[],
  room = 100,
): { line: WaitingLine<string>; without: (string | undefined)[] } => {
  const line = new WaitingLine<string>();
  const without = names.map((who, at) => line.add({ address: who.charAt(0), sinceMs: at, who }, room)?.who);
  return { line, without };
};
const allOf = (line: WaitingLine<string>, mayEnter = anybody): string[] => {
  const all: string[] = [];
  for (let next = line.next(mayEnter); next; next = line.next(mayEnter)) all.push(next.who);
  return all;
};

test('who came first is let in first, and addresses take turns', () => {
  assert.deepEqual(allOf(lineOf(['a1', 'a2', 'a3']).line), ['a1', 'a2', 'a3']);
  const { line } = lineOf(['a1', 'a2', 'a3', 'b1', 'c1', 'c2']);
  assert.equal(line.size, 6);
  assert.deepEqual(allOf(line), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  assert.equal(line.size, 0);
});

test('an address that may not enter now holds nobody up and keeps its places', () => {
  const { line } = lineOf(['a1', 'b1', 'a2', 'b2']);
  assert.deepEqual(
    allOf(line, (address) => address !== 'a'),
    ['b1', 'b2'],
  );
  assert.deepEqual(allOf(line), ['a1', 'a2']);
});

test('in a full line the newest of the address with the most makes way for one with fewer, and for nobody else', () => {
  const { line, without } = lineOf(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3', 'c1'], 4);
  // b3 would have as many as a; c1 is the first of its address.
  assert.deepEqual(without.slice(4), ['a4', 'a3', 'b3', 'a2']);
  assert.deepEqual(allOf(line), ['a1', 'b1', 'c1', 'b2']);
});

test('one address cannot keep others out, however often it knocks', () => {
  const flood = Array.from({ length: 1000 }, (_, at) => `x${at}`);
  const { line } = lineOf([...flood, 'a1', 'a2', ...flood, 'b1'], 10);
  assert.deepEqual(new Set(allOf(line).filter((who) => !who.startsWith('x'))), new Set(['a1', 'a2', 'b1']));
});

test('without room nobody is taken', () => {
  assert.deepEqual(lineOf(['a1', 'b1'], 0).without, ['a1', 'b1']);
});

test('who waits for too long comes out, some at a time, and so does who is gone', () => {
  const { line } = lineOf(['a1', 'b1', 'a2', 'b2', 'a3', 'c1']);
  assert.deepEqual(
    line.expire(4, 3).map(({ who }) => who),
    ['a1', 'a2', 'b1'],
  );
  assert.deepEqual(
    line.expire(4, 3).map(({ who }) => who),
    ['b2'],
  );
  assert.deepEqual(line.expire(4, 3), []);
  line.drop((who) => who === 'c1');
  assert.equal(line.size, 1);
  assert.deepEqual(allOf(line), ['a3']);
});
