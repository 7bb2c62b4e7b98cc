import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { createRosterView, rosterLimits, type RosterChange } from './roster-view.ts';

const hostId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const machine = { name: 'x', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 1, virtual: '' };
const entryOf = (node: string, claim: number, more: Partial<RosterEntry> = {}): RosterEntry => ({
  hostId: hostId(1),
  machine,
  cluster: 'default',
  labels: {},
  agentVersion: '1',
  periodMs: 1000,
  connection: 'connected',
  sinceMs: 5,
  clockOffsetMs: 0,
  node,
  epoch: 1,
  attempt: claim,
  degraded: [],
  claim,
  ...more,
});

const start = () => {
  const clock = fakeClock(1_000_000);
  const view = createRosterView(() => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() }));
  for (const node of ['a', 'b']) view.nodeUp(node);
  return { clock, view, state: () => view.get(hostId(1))?.connection };
};
const states = (change: RosterChange | undefined): string[] => (change?.entries ?? []).map((one) => one.connection);

test('of two nodes that know a host the one with the larger claim is believed', () => {
  const { view } = start();
  view.put('a', entryOf('a', 10));
  assert.deepEqual(
    view.put('b', entryOf('b', 20))?.entries.map((one) => one.node),
    ['b'],
  );
  assert.deepEqual(view.put('a', entryOf('a', 10, { connection: 'down' }))?.entries, []);
  assert.equal(view.get(hostId(1))?.node, 'b');
});

test('an entry cannot speak for another node than the one that published it', () => {
  const { view } = start();
  view.put('a', entryOf('somebody-else', 10));
  assert.equal(view.get(hostId(1))?.node, 'a');
});

test('the hosts of a lost node are reconnecting at once and down ten seconds later', () => {
  const { clock, view, state } = start();
  view.put('a', entryOf('a', 10));
  clock.advance(1000);
  assert.deepEqual(states(view.nodeDown('a')), ['reconnecting']);
  assert.equal(view.get(hostId(1))?.sinceMs, 1_001_000);
  clock.advance(rosterLimits.reconnectingMs - 1);
  assert.deepEqual(states(view.tick()), []);
  clock.advance(1);
  assert.deepEqual(states(view.tick()), ['down']);
  assert.equal(state(), 'down');
  assert.equal(view.get(hostId(1))?.sinceMs, 1_001_000 + rosterLimits.reconnectingMs);
  clock.advance(1000);
  assert.deepEqual(states(view.tick()), []);
});

test('a host that another node claims is connected again, and the lost node cannot take it back', () => {
  const { clock, view, state } = start();
  view.put('a', entryOf('a', 10));
  view.nodeDown('a');
  clock.advance(2000);
  assert.deepEqual(states(view.put('b', entryOf('b', 20))), ['connected']);
  clock.advance(20_000);
  assert.deepEqual(view.tick(), { entries: [], gone: [] });
  view.nodeUp('a');
  view.put('a', entryOf('a', 10));
  assert.equal(view.get(hostId(1))?.node, 'b');
  assert.equal(state(), 'connected');
});

test('what a linked node says wins over what a lost one said, whatever the claims, until that one says it again', () => {
  const { clock, view, state } = start();
  view.put('a', entryOf('a', 20));
  assert.deepEqual(view.put('b', entryOf('b', 10))?.entries, []);
  assert.deepEqual(
    view.nodeDown('a').entries.map((one) => [one.node, one.connection]),
    [['b', 'connected']],
  );
  clock.advance(rosterLimits.reconnectingMs);
  assert.deepEqual(view.tick(), { entries: [], gone: [] });
  view.nodeUp('a');
  assert.equal(view.get(hostId(1))?.node, 'b');
  view.put('a', entryOf('a', 20));
  assert.equal(view.get(hostId(1))?.node, 'a');
  view.nodeDown('a');
  view.nodeDown('b');
  assert.deepEqual(
    [view.get(hostId(1))?.node, state()],
    ['a', 'reconnecting'],
    'of two that are gone the claim decides',
  );
});

test('a host that left or was down stays so when its node is lost', () => {
  for (const connection of ['left', 'down'] as const) {
    const { view, state } = start();
    view.put('a', entryOf('a', 10, { connection }));
    view.nodeDown('a');
    assert.equal(state(), connection);
  }
});

test('when a link is back its hosts stay reconnecting until the node repeats them, and the others go', () => {
  const { clock, view, state } = start();
  view.put('a', entryOf('a', 10));
  view.put('a', entryOf('a', 10, { hostId: hostId(2) }));
  view.nodeDown('a');
  clock.advance(3000);
  view.nodeUp('a');
  assert.equal(state(), 'reconnecting');
  assert.deepEqual(states(view.put('a', entryOf('a', 10))), ['connected']);
  clock.advance(rosterLimits.confirmMs);
  assert.deepEqual(view.tick(), { entries: [], gone: [hostId(2)] });
  assert.equal(state(), 'connected');
});

test('a host that its node forgets is gone', () => {
  const { view } = start();
  view.put('a', entryOf('a', 10));
  assert.deepEqual(view.forget('b', hostId(1)), { entries: [], gone: [] });
  assert.deepEqual(view.forget('a', hostId(1)), { entries: [], gone: [hostId(1)] });
  assert.equal(view.size(), 0);
});

test('hosts whose only node never comes back are forgotten after a day', () => {
  const { clock, view } = start();
  view.put('a', entryOf('a', 10));
  view.nodeDown('a');
  clock.advance(rosterLimits.forgetMs);
  assert.deepEqual(view.tick().gone, [hostId(1)]);
  assert.deepEqual(view.all(), []);
});

test('a repeated entry is no change', () => {
  const { view } = start();
  const entry = entryOf('a', 10);
  assert.equal(view.put('a', entry)?.entries.length, 1);
  assert.equal(view.put('a', entry)?.entries.length, 0);
});

test('there is room for 20,000 entries and no more', () => {
  const { view } = start();
  for (let i = 0; i < rosterLimits.maxEntries; i += 1) view.put('a', entryOf('a', 1, { hostId: hostId(i) }));
  assert.equal(view.put('a', entryOf('a', 1, { hostId: hostId(30_000) })), undefined);
  assert.ok(view.put('a', entryOf('a', 2, { hostId: hostId(3) })));
});

test('changes applied in order give what the view holds, whatever happens', () => {
  const { clock, view } = start();
  const mirror = new Map<string, string>();
  let seed = 7;
  const draw = (max: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * max);
  };
  const apply = (change: RosterChange | undefined): void => {
    for (const one of change?.entries ?? []) mirror.set(one.hostId, JSON.stringify(one));
    for (const host of change?.gone ?? []) mirror.delete(host);
  };
  for (let i = 0; i < 5000; i += 1) {
    const node = ['a', 'b', 'c'][draw(3)] ?? 'a';
    const id = hostId(draw(6));
    const connection = (['connected', 'silent', 'left', 'down'] as const)[draw(4)] ?? 'connected';
    const act = draw(6);
    if (act < 2) apply(view.put(node, entryOf(node, draw(50), { hostId: id, connection })));
    else if (act === 2) apply(view.forget(node, id));
    else if (act === 3) apply(view.nodeUp(node));
    else if (act === 4) apply(view.nodeDown(node));
    else {
      clock.advance(draw(4000));
      apply(view.tick());
    }
    const now = new Map(view.all().map((one) => [one.hostId, JSON.stringify(one)]));
    assert.deepEqual([...mirror].sort(), [...now].sort());
  }
});

test('what all tabs are greeted with is prepared once for each change', () => {
  const { clock, view } = start();
  view.put('a', entryOf('a', 10));
  const before = view.all();
  view.tick();
  view.put('a', entryOf('a', 10));
  const after = view.all();
  assert.equal(after.length, 1);
  clock.advance(1000);
  assert.equal(view.all(), after);
  view.nodeDown('a');
  assert.notEqual(view.all(), after);
  assert.equal(view.all()[0]?.connection, 'reconnecting');
  assert.equal(before[0]?.connection, 'connected');
});
