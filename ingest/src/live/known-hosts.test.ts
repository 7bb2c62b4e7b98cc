import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownHosts, rememberMs } from './known-hosts.ts';
import { RosterHost, type HostHello } from './roster-host.ts';

const hello = (hostId: string): HostHello => ({
  hostId,
  boot: 'b',
  epoch: 1,
  attempt: 1,
  dictionary: 'd',
  machine: {
    name: 'web-1',
    os: '',
    kernel: '',
    arch: '',
    model: '',
    cpu: '',
    cores: 2,
    memoryBytes: 1,
    virtual: '',
  },
  cluster: 'default',
  labels: {},
  agentVersion: '1',
  periodMs: 1000,
  clockOffsetMs: 0,
});
const connect = (known: KnownHosts<{ roster: RosterHost }>, hostId: string, nowMs: number): RosterHost => {
  const roster = known.hosts.get(hostId)?.roster ?? new RosterHost('node-a', hello(hostId));
  const claim = known.nextClaim(hostId, nowMs);
  known.add(hostId, { roster });
  roster.greet(hello(hostId), claim, nowMs);
  return roster;
};

test('a claim is larger than every claim seen before, though the clock of the other node be ahead', () => {
  const known = new KnownHosts<{ roster: RosterHost }>({ maxHosts: 10 });
  known.claimedElsewhere('h', 50_000);
  assert.equal(known.nextClaim('h', 40_000), 50_001);
  assert.equal(known.nextClaim('other', 40_000.7), 40_000);
  connect(known, 'h', 40_000);
  assert.equal(known.nextClaim('h', 40_000), 50_002);
});

test('a host that another node took over is forgotten once it is gone here, and its connection told while it stands', () => {
  const known = new KnownHosts<{ roster: RosterHost }>({ maxHosts: 10 });
  const roster = connect(known, 'h', 1_000);
  assert.equal(known.claimedElsewhere('h', 900), 'nothing');
  assert.equal(known.isElsewhere('h'), false);
  assert.equal(known.claimedElsewhere('h', 2_000), 'superseded');
  assert.equal(known.isElsewhere('h'), true);
  roster.lost(roster.claim, 3_000, false);
  assert.equal(known.claimedElsewhere('h', 2_500), 'forget');
  assert.equal(known.hosts.size, 0);
});

test('a host that is gone is remembered for a day, a connected one for as long as it takes', () => {
  const known = new KnownHosts<{ roster: RosterHost }>({ maxHosts: 10 });
  connect(known, 'here', 0);
  const gone = connect(known, 'gone', 0);
  gone.lost(gone.claim, 1_000, false);
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
    roster.lost(roster.claim, lostMs, false);
  }
  connect(known, 'c', 0);
  assert.equal(known.add('d', { roster: new RosterHost('node-a', hello('d')) }), 'b');
  assert.deepEqual([...known.hosts.keys()], ['a', 'c', 'd']);
});
