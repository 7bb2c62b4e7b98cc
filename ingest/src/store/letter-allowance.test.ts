import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, silentLog } from '@thrum/actors/system/log';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { createLetterAllowance } from './letter-allowance.ts';
import { hostA, hostB, originOf } from './store-scenario.ts';

const takeMany = (times: number, take: () => boolean): number => {
  let taken = 0;
  for (let i = 0; i < times; i += 1) taken += take() ? 1 : 0;
  return taken;
};

test('a host leaves 20,000 dead letters at once and 50 a second after that, another host has its own', () => {
  const clock = fakeClock();
  const allowance = createLetterAllowance(clock, silentLog);
  const take = (): boolean => allowance.take(originOf(hostA, 1));
  assert.equal(takeMany(20_100, take), 20_000);
  assert.equal(allowance.counters.leftOut, 100);
  clock.advance(2_000);
  assert.equal(takeMany(1_000, take), 100);
  assert.equal(allowance.take(originOf(hostB, 1)), true);
});

test('it is said once per host and minute, with how many were left out', () => {
  const lines: string[] = [];
  const clock = fakeClock();
  const log = createLog({ name: 'test', sink: { write: (line) => void lines.push(line) } });
  const allowance = createLetterAllowance(clock, log);
  const take = (): boolean => allowance.take(originOf(hostA, 1));
  takeMany(20_500, take);
  assert.equal(lines.length, 1);
  clock.advance(60_000);
  takeMany(3_001, take);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { samples: number }).samples),
    [1, 500],
  );
});

test('the host that left none for longest is forgotten when there are too many hosts', () => {
  const allowance = createLetterAllowance(fakeClock(), silentLog);
  const of = (n: number): boolean => allowance.take(originOf(`host-${n}`, 1));
  takeMany(20_000, () => of(0));
  takeMany(20_000, () => of(1));
  for (let n = 2; n < 10_000; n += 1) of(n);
  assert.equal(of(0), false);
  of(10_000); // forgets the first of those that left none since
  assert.equal(of(0), false);
  assert.equal(of(1), true);
});
