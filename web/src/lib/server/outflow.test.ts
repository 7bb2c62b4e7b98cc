import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@thrum/actors/system/clock';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { createOutflow } from './outflow.ts';

/** Every write takes `writeMs`; turns of the event loop are run by hand. */
const rig = (writeMs: number) => {
  const clock = fakeClock();
  const turns: (() => void)[] = [];
  const written: string[] = [];
  const outflow = createOutflow({ clock: clock satisfies Clock, soon: (run) => void turns.push(run) });
  const lane = (name: string) =>
    outflow.lane((bytes) => {
      clock.advance(writeMs);
      written.push(`${name}${bytes.toString()}`);
    });
  const turn = (): void => {
    for (const run of turns.splice(0)) run();
  };
  return { outflow, lane, written, turn, turns };
};

test('what fits into one turn is written at once', () => {
  const { lane, written, outflow } = rig(0);
  for (let i = 0; i < 1000; i += 1) lane('a').send(Buffer.from('1'));
  assert.equal(written.length, 1000);
  assert.equal(outflow.deferred(), 0);
});

test('a fan-out gives way after some milliseconds, and all of it is written in the turns after', () => {
  const { lane, written, turn, turns, outflow } = rig(1);
  const lanes = Array.from({ length: 30 }, (_, i) => lane(`${i}:`));
  for (const one of lanes) one.send(Buffer.from('x'));
  assert.ok(written.length >= 8 && written.length <= 9, `${written.length} in the first turn`);
  const inTurns: number[] = [];
  for (let before = written.length; turns.length > 0 && inTurns.length < 10; before = written.length) {
    turn();
    if (written.length > before) inTurns.push(written.length - before);
  }
  assert.ok(inTurns.every((count) => count <= 9));
  assert.deepEqual(
    written,
    lanes.map((_, i) => `${i}:x`),
  );
  assert.equal(outflow.waiting(), 0);
});

test('frames of one tab keep their order, whatever waits', () => {
  const { lane, written, turn } = rig(5);
  const [a, b] = [lane('a'), lane('b')];
  for (const text of ['1', '2', '3']) {
    a.send(Buffer.from(text));
    b.send(Buffer.from(text));
  }
  for (let i = 0; i < 10; i += 1) turn();
  assert.deepEqual(
    written.filter((one) => one.startsWith('a')),
    ['a1', 'a2', 'a3'],
  );
  assert.deepEqual(
    written.filter((one) => one.startsWith('b')),
    ['b1', 'b2', 'b3'],
  );
});

test('what waits is counted, can be written at once before other news, and is forgotten with its tab', () => {
  const { lane, written, turn } = rig(10);
  const [a, b, c] = [lane('a'), lane('b'), lane('c')];
  for (const one of [a, b, c]) one.send(Buffer.from('12345'));
  assert.deepEqual([a.waitingBytes(), b.waitingBytes(), c.waitingBytes()], [0, 5, 5]);
  c.flush();
  b.close();
  for (let i = 0; i < 5; i += 1) turn();
  assert.deepEqual(written, ['a12345', 'c12345']);
  assert.equal(b.waitingBytes() + c.waitingBytes(), 0);
});
