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

test('what a turn brings a tab leaves at its end, in one write', () => {
  const { lane, written, turn, outflow } = rig(0);
  const lanes = Array.from({ length: 1000 }, (_, i) => lane(`${i}:`));
  for (const text of ['1', '2', '3']) for (const one of lanes) one.send(Buffer.from(text));
  assert.equal(written.length, 0);
  turn();
  assert.deepEqual(
    written,
    lanes.map((_, i) => `${i}:123`),
  );
  assert.equal(outflow.deferred(), 0);
});

test('tabs that are sent different frames in one turn each get their own', () => {
  const { lane, written, turn } = rig(0);
  const frames = ['x', 'y', 'z'].map((text) => Buffer.from(text));
  const [all, one, other] = frames as [Buffer, Buffer, Buffer];
  const lanes = [lane('a'), lane('b'), lane('c'), lane('d')];
  for (const [at, each] of lanes.entries()) {
    each.send(all);
    each.send(at % 2 === 0 ? one : other);
  }
  turn();
  assert.deepEqual(written, ['axy', 'bxz', 'cxy', 'dxz']);
});

test('a fan-out gives way after some milliseconds, and all of it is written in the turns after', () => {
  const { lane, written, turn, turns, outflow } = rig(0.5);
  const lanes = Array.from({ length: 50 }, (_, i) => lane(`${i}:`));
  for (const one of lanes) one.send(Buffer.from('x'));
  const inTurns: number[] = [];
  for (let before = 0; turns.length > 0 && inTurns.length < 10; before = written.length) {
    turn();
    inTurns.push(written.length - before);
  }
  assert.deepEqual(inTurns, [16, 16, 16, 2]);
  assert.deepEqual(
    written,
    lanes.map((_, i) => `${i}:x`),
  );
  assert.equal(outflow.waiting(), 0);
  assert.equal(outflow.deferred(), 34 + 18 + 2);
});

test('frames of one tab keep their order, whatever waits', () => {
  const { lane, written, turn } = rig(1);
  const lanes = Array.from({ length: 40 }, (_, i) => lane(`${i}:`));
  for (const text of ['1', '2', '3', '4']) {
    for (const one of lanes) one.send(Buffer.from(text));
    if (text !== '2') turn();
  }
  for (let i = 0; i < 10; i += 1) turn();
  for (const name of lanes.keys())
    assert.equal(
      written
        .filter((one) => one.startsWith(`${name}:`))
        .map((one) => one.slice(`${name}:`.length))
        .join(''),
      '1234',
    );
});

test('what waits is counted, can be written at once before other news, and is forgotten with its tab', () => {
  const { lane, written, turn } = rig(10);
  const [a, b, c] = [lane('a'), lane('b'), lane('c')];
  for (const one of [a, b, c]) one.send(Buffer.from('12345'));
  assert.deepEqual([a.waitingBytes(), b.waitingBytes(), c.waitingBytes()], [5, 5, 5]);
  c.flush();
  b.close();
  for (let i = 0; i < 5; i += 1) turn();
  assert.deepEqual(written, ['c12345', 'a12345']);
  assert.equal(a.waitingBytes() + b.waitingBytes() + c.waitingBytes(), 0);
});
