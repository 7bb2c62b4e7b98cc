import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { scriptedStore } from './intake.contract.ts';
import { IntakeCounts } from './intake-counts.ts';
import { startPacing } from './pacing.ts';

const start = (sessions: number) => {
  const clock = fakeClock();
  const store = scriptedStore();
  const told: number[] = [];
  const tells = new Set(Array.from({ length: sessions }, (_, i) => () => void told.push(i)));
  store.becomes('starting');
  const counts = new IntakeCounts();
  const pacing = startPacing({ clock, store, counts, sessions: () => sessions, tells });
  return { clock, store, told, tells, pacing };
};

test('when the store comes back everybody is told within about two seconds, and few of them at once', () => {
  const { clock, store, told, pacing } = start(5_000);
  assert.equal(pacing.backlog, 0);
  store.becomes('ready');
  assert.equal(pacing.backlog, 1);
  assert.equal(told.length, 0);
  let most = 0;
  for (let i = 0; i < 42; i += 1) {
    const before = told.length;
    clock.advance(50);
    most = Math.max(most, told.length - before);
  }
  assert.equal(new Set(told).size, 5_000);
  assert.equal(told.length, 5_000);
  assert.ok(most <= 125, `${most} in one turn`);
  pacing.close();
  assert.equal(clock.pending(), 0);
});

test('when the store goes away nothing is granted from that moment on, and everybody is told', () => {
  const { clock, store, told, pacing } = start(10);
  store.becomes('ready');
  clock.advance(3_000);
  told.length = 0;
  store.becomes('away');
  assert.equal(pacing.backlog, 0);
  clock.advance(3_000);
  assert.equal(new Set(told).size, 10);
});

test('a grant that only grows or shrinks is nothing to wake everybody for', () => {
  const { clock, store, told, pacing } = start(500);
  store.becomes('ready');
  clock.advance(3_000);
  const first = pacing.backlog;
  told.length = 0;
  clock.advance(30_000);
  assert.ok(pacing.backlog > first, 'none of them catches up, so whoever begins to may have more');
  assert.deepEqual(told, []);
});

test('whoever sends of a backlog counts until some seconds after, and once each', () => {
  const { clock, store, pacing } = start(100);
  store.becomes('ready');
  const seen = [0, 0, 0];
  const active = () => pacing.gauges()['sessionsCatchingUp'];
  for (let round = 0; round < 10; round += 1) seen.forEach((one, i) => (seen[i] = pacing.sawBacklog(one)));
  clock.advance(2_500);
  assert.equal(active(), 3);
  clock.advance(2_500);
  assert.equal(active(), 0);
});

test('those who come or go while the others are told are no trouble', () => {
  const { clock, store, told, tells, pacing } = start(100);
  store.becomes('ready');
  clock.advance(1_000);
  for (const tell of [...tells].slice(0, 90)) tells.delete(tell);
  tells.add(() => void told.push(1000));
  clock.advance(5_000);
  assert.ok(told.includes(1000));
  tells.clear();
  store.becomes('away');
  clock.advance(5_000);
  pacing.close();
});

test('where a batch for each is too much every session has its turn, and everybody is told at each', () => {
  const { clock, store, told, pacing } = start(5_000);
  const sessions = Array.from({ length: 5_000 }, () => pacing.enter());
  const before = sessions.map(() => 0);
  const inTurn = () => sessions.filter((one) => pacing.backlogOf(one) > 0);
  store.becomes('ready');
  let most = 0;
  const had = new Set<number>();
  for (let i = 0; i < 600; i += 1) {
    clock.advance(100);
    const now = inTurn();
    most = Math.max(most, now.length);
    for (const one of now) {
      had.add(one);
      before[one - 1] = pacing.sawBacklog(before[one - 1] ?? 0);
    }
  }
  assert.ok(most < 2_500, `${most} at once`);
  assert.equal(had.size, 5_000);
  assert.ok(told.length >= 5 * 5_000);
  pacing.close();
});
