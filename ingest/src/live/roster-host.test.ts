import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RosterHost } from './roster-host.ts';
import { hello } from './scripted-host.contract.ts';

const well = { degraded: [], clockOffsetMs: 0 };

test('an entry is due at each change of state and only then', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  const states: (string | undefined)[] = [];
  for (const nowMs of [0, 100, 4_900, 5_000, 6_000, 29_000, 30_000, 40_000])
    states.push(roster.due(nowMs, nowMs, well)?.connection);
  assert.deepEqual(states, ['connected', undefined, undefined, 'silent', undefined, undefined, 'down', undefined]);
  assert.equal(roster.heard(1, 41_000), true);
  const entry = roster.due(41_000, 41_000, well);
  assert.equal(entry?.connection, 'connected');
  assert.deepEqual([entry.epoch, entry.attempt], [1, 1]);
  assert.equal(roster.said, entry);
  assert.equal(entry.node, 'node-a');
  assert.equal(roster.heard(1, 41_500), false);
});

test('a connection given up for silence is still called silent, then down at 30 s', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  roster.lost(1, 12_000, true);
  assert.equal(roster.held, false);
  assert.equal(roster.due(12_000, 0, well)?.connection, 'silent');
  assert.equal(roster.due(29_999, 0, well), undefined);
  assert.equal(roster.due(30_000, 0, well)?.connection, 'down');
});

test('what an older connection of a host still says is of no effect', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  roster.greet(hello('h'), 1_000);
  roster.lost(1, 1_500, false);
  roster.left(1, 1_600);
  assert.equal(roster.heard(1, 9_000), false);
  assert.equal(roster.due(1_600, 0, well)?.connection, 'connected');
  assert.equal(roster.heardMs, 1_000);
});

test('a host that said goodbye does not turn into a lost one when its connection closes', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  roster.left(1, 100);
  roster.lost(1, 200, false);
  assert.equal(roster.due(200, 0, well)?.connection, 'left');
  assert.equal(roster.due(60_000, 0, well), undefined);
});

test('what is degraded is due when it changes, without touching since when the host is connected', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  roster.due(0, 1_000, well);
  const late = { degraded: ['its clock is 3.2 s ahead'], clockOffsetMs: -3200.4 };
  const entry = roster.due(500, 1_500, late);
  assert.deepEqual(
    [entry?.connection, entry?.sinceMs, entry?.clockOffsetMs, entry?.degraded],
    ['connected', 1_000, -3200, late.degraded],
  );
  assert.equal(roster.due(1_000, 2_000, late), undefined);
  assert.deepEqual(roster.due(1_500, 2_500, well)?.degraded, []);
});

test('a host that is not connected is what its connection is, and not degraded besides', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  const ill = { degraded: ['its clock is 3.2 s ahead'], clockOffsetMs: -3200 };
  roster.due(0, 0, ill);
  roster.lost(1, 100, false);
  assert.deepEqual(roster.due(100, 100, ill)?.degraded, []);
  assert.equal(roster.due(200, 200, well), undefined);
});

test('a connection that overtakes one that is over comes right after it', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 0);
  roster.due(0, 1_000, well);
  roster.overtake({ epoch: 9, attempt: 4 });
  const entry = roster.due(500, 1_500, well);
  assert.deepEqual([entry?.epoch, entry?.attempt, entry?.connection, entry?.sinceMs], [9, 5, 'connected', 1_500]);
});
