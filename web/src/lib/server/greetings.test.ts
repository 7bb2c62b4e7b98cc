import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { createCounters } from './counters.ts';
import { createGreetings, greetingLimits } from './greetings.ts';

const { maxUnderWay, maxSlow, slowAfterMs } = greetingLimits;

const start = (tabs: number) => {
  const clock = fakeClock();
  const counters = createCounters();
  const turns: (() => void)[] = [];
  const sent: (readonly string[])[] = [];
  const givenUp: string[] = [];
  const greetings = createGreetings({
    clock,
    counters,
    soon: (run) => void turns.push(run),
    send: (ids) => void sent.push(ids),
    giveUp: (id) => void givenUp.push(id),
  });
  const turn = (): void => turns.splice(0).forEach((run) => run());
  for (let i = 0; i < tabs; i += 1) greetings.join(`t${i}`);
  return { clock, counters, greetings, sent, givenUp, turn };
};

test('tabs that come together are greeted together, in a later turn and in their order', () => {
  const { sent, turn } = start(3);
  assert.deepEqual(sent, []);
  turn();
  assert.deepEqual(sent, [['t0', 't1', 't2']]);
});

test('of a thousand tabs only a few greetings are on their way, and each is sent once', () => {
  const { greetings, sent, turn } = start(1000);
  const underWay = new Set<string>();
  const all: string[] = [];
  let rounds = 0;
  for (;;) {
    turn();
    if (sent.length === rounds) break;
    rounds = sent.length;
    for (const id of sent.at(-1) ?? []) underWay.add(id);
    assert.ok(underWay.size <= maxUnderWay);
    for (const id of underWay) {
      all.push(id);
      greetings.taken(id);
    }
    underWay.clear();
  }
  assert.deepEqual([all.length, new Set(all).size, greetings.waiting()], [1000, 1000, 0]);
});

test('nobody is greeted for one that is not read, until it counts as slow', () => {
  const { clock, greetings, sent, turn } = start(maxUnderWay + 2);
  turn();
  turn();
  assert.equal(sent.length, 1);
  greetings.taken(`t${maxUnderWay}`); // has not been greeted: nothing it takes is its greeting
  assert.equal(greetings.waiting(), 2);
  clock.advance(slowAfterMs);
  turn();
  assert.deepEqual(sent[1], [`t${maxUnderWay}`, `t${maxUnderWay + 1}`]);
});

test('of tabs that never read, as many are kept as there is room for, and the slowest are closed and counted', () => {
  const { clock, counters, givenUp, turn } = start(100);
  for (let i = 0; i < 100; i += 1) {
    turn();
    clock.advance(slowAfterMs);
  }
  assert.deepEqual([givenUp.length, givenUp[0]], [100 - maxSlow, 't0']);
  assert.equal(counters.read()['web_greetings_given_up'], 100 - maxSlow);
});

test('a tab that goes while it waits is not greeted, and one that goes while it reads makes room', () => {
  const { greetings, sent, turn } = start(maxUnderWay + 2);
  turn();
  greetings.gone(`t${maxUnderWay}`);
  greetings.gone('t0');
  turn();
  assert.deepEqual(sent[1], [`t${maxUnderWay + 1}`]);
});
