import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownHosts, rememberMs } from './known-hosts.ts';
import { RosterHost } from './roster-host.ts';
import { hello } from './scripted-host.contract.ts';

const connect = (known: KnownHosts<{ roster: RosterHost }>, hostId: string, nowMs: number): RosterHost => {
  const roster = known.hosts.get(hostId)?.roster ?? new RosterHost('node-a', hello(hostId));
  known.add(hostId, { roster });
  roster.greet(hello(hostId), nowMs);
  return roster;
};

test('a host that is gone is remembered for a day, a connected one for as long as it takes', () => {
  const known = new KnownHosts<{ roster: RosterHost }>({ maxHosts: 10 });
  connect(known, 'here', 0);
  const gone = connect(known, 'gone', 0);
  gone.lost(gone.turn, 1_000, false);
  assert.deepEqual(known.expire(rememberMs), []);
  assert.deepEqual(known.expire(rememberMs + 1_000), ['gone']);
  assert.deepEqual([...known.hosts.keys()], ['here']);
});

test('when there are too many hosts the one gone longest makes room', () => {
  const known = new KnownHosts<{ roster: RosterHost }>({ maxHosts: 3 });
  for (const [hostId, lostMs] of [
    ['a', 500],
    ['b', 100],
  ] as const) {
    const roster = connect(known, hostId, 0);
    roster.lost(roster.turn, lostMs, false);
  }
  connect(known, 'c', 0);
  assert.equal(known.add('d', { roster: new RosterHost('node-a', hello('d')) }), 'b');
  assert.deepEqual([...known.hosts.keys()], ['a', 'c', 'd']);
});
