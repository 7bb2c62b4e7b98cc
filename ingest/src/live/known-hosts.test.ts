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

test('an entry is due at each change of state and only then', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 5, 0);
  const states: (string | undefined)[] = [];
  for (const nowMs of [0, 100, 4_900, 5_000, 6_000, 29_000, 30_000, 40_000])
    states.push(roster.due(nowMs, nowMs)?.connection);
  assert.deepEqual(states, ['connected', undefined, undefined, 'silent', undefined, undefined, 'down', undefined]);
  assert.equal(roster.heard(5, 41_000), true);
  const entry = roster.due(41_000, 41_000);
  assert.equal(entry?.connection, 'connected');
  assert.equal(entry.claim, 5);
  assert.equal(entry.node, 'node-a');
  assert.equal(roster.heard(5, 41_500), false);
});

test('a connection given up for silence is still called silent, then down at 30 s', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 5, 0);
  roster.lost(5, 12_000, true);
  assert.equal(roster.held, false);
  assert.equal(roster.due(12_000, 0)?.connection, 'silent');
  assert.equal(roster.due(29_999, 0), undefined);
  assert.equal(roster.due(30_000, 0)?.connection, 'down');
});

test('what an older connection of a host still says is of no effect', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 1, 0);
  roster.greet(hello('h'), 2, 1_000);
  roster.lost(1, 1_500, false);
  roster.left(1, 1_600);
  assert.equal(roster.heard(1, 9_000), false);
  assert.equal(roster.due(1_600, 0)?.connection, 'connected');
  assert.equal(roster.heardMs, 1_000);
});

test('a host that said goodbye does not turn into a lost one when its connection closes', () => {
  const roster = new RosterHost('node-a', hello('h'));
  roster.greet(hello('h'), 1, 0);
  roster.left(1, 100);
  roster.lost(1, 200, false);
  assert.equal(roster.due(200, 0)?.connection, 'left');
  assert.equal(roster.due(60_000, 0), undefined);
});

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
