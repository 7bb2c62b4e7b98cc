import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@thrum/actors/system/clock';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { createRightTime } from './right-time.ts';

const startMs = 1_790_000_000_000;
const hourMs = 3_600_000;

const begin = (fromStore = true) => {
  const steady = fakeClock(startMs);
  let stepMs = 0;
  // As the system's: whole milliseconds by the wall, parts of them by the monotonic clock.
  const own: Clock = {
    ...steady,
    wallMs: () => steady.wallMs() + stepMs,
    monotonicMs: () => steady.monotonicMs() + 0.375,
  };
  const said: string[] = [];
  const log = {
    warn: (_about: object, text: string) => void said.push(text),
    info: (_about: object, text: string) => void said.push(text),
  };
  const time = createRightTime(own, log, fromStore);
  return {
    time,
    said,
    steady,
    own,
    step: (ms: number) => void (stepMs += ms),
    /** The store, whose clock is right, answers after so many milliseconds. */
    hear: (takesMs = 10) => {
      const askedAtMs = own.monotonicMs();
      steady.advance(takesMs / 2);
      const serverMs = steady.wallMs();
      steady.advance(takesMs / 2);
      time.heard(serverMs, askedAtMs);
    },
  };
};

test('goes by its own clock while that is about right, and is sure once it has heard the store', () => {
  const { time, steady, own, hear, step, said } = begin();
  assert.equal(time.isSure(), false);
  step(5000);
  hear();
  assert.equal(time.isSure(), true);
  steady.advance(60_000);
  assert.equal(time.clock.wallMs(), own.wallMs());
  assert.deepEqual(said, []);
});

for (const offMs of [-24 * hourMs, -hourMs, hourMs, 24 * hourMs])
  test(`a clock that is ${offMs / hourMs} h off changes nothing, whether it was so at the start or steps while it runs`, () => {
    const early = begin();
    early.step(offMs);
    early.hear();
    assert.equal(early.time.isSure(), true);
    early.steady.advance(90_000);
    assert.ok(Math.abs(early.time.clock.wallMs() - early.steady.wallMs()) <= 1);
    assert.ok(Math.abs(early.time.offMs() - offMs) <= 1);
    assert.equal(early.said.length, 1);

    const late = begin();
    late.hear();
    late.steady.advance(5000);
    late.step(offMs);
    assert.ok(Math.abs(late.time.clock.wallMs() - late.steady.wallMs()) <= 1);
    assert.equal(late.time.isSure(), false, 'it may be the machine that slept');
    late.hear();
    assert.equal(late.time.isSure(), true);
    assert.ok(Math.abs(late.time.clock.wallMs() - late.steady.wallMs()) <= 1);
    late.step(-offMs);
    late.hear();
    assert.equal(late.time.clock.wallMs(), late.own.wallMs());
    assert.equal(late.said.length, 2);
  });

test('tells whole milliseconds, whoever is right', () => {
  const { time, hear, step, steady } = begin();
  hear(7);
  for (const ms of [0, -hourMs, 2 * hourMs]) {
    step(ms);
    steady.advance(1);
    assert.ok(Number.isInteger(time.clock.wallMs()));
  }
});

test('an answer that took long says nothing', () => {
  const { time, hear } = begin();
  hear(4000);
  assert.equal(time.isSure(), false);
  hear(1000);
  assert.equal(time.isSure(), true);
});

test('without a clock to hear, its own counts', () => {
  const embedded = begin(false);
  assert.equal(embedded.time.isSure(), true);
  embedded.step(hourMs);
  assert.equal(embedded.time.isSure(), true);
  assert.equal(embedded.time.clock.wallMs(), embedded.own.wallMs());

  const silent = begin();
  silent.time.heard(undefined, 0);
  assert.equal(silent.time.isSure(), true);
});
