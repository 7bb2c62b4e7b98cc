import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { inOrder, matches, type Candidate } from './order.ts';
import type { HostState } from './state.ts';

const entry = (name: string, more: Partial<RosterEntry> = {}): RosterEntry => ({
  hostId: `id-${name}`,
  machine: { name, os: 'Debian 12', kernel: '', arch: '', model: '', cpu: '', cores: 2, memoryBytes: 0, virtual: '' },
  cluster: 'default',
  labels: {},
  agentVersion: '1',
  periodMs: 1000,
  connection: 'connected',
  sinceMs: 0,
  clockOffsetMs: 0,
  node: 'n',
  epoch: 1,
  attempt: 1,
  degraded: [],
  ...more,
});

const candidate = (name: string, state: HostState, cpu?: number): Candidate => ({
  id: `id-${name}`,
  entry: entry(name),
  state,
  value: () => cpu,
});

const names = (list: readonly Candidate[]): string[] => list.map((one) => one.entry.machine.name);

test('by state the worst come first, and names are counted as people count', () => {
  const list = [candidate('n10', 'live'), candidate('n2', 'live'), candidate('a', 'left'), candidate('z', 'down')];
  assert.deepEqual(names(inOrder(list, { by: 'state', descending: true })), ['z', 'n2', 'n10', 'a']);
});

test('live and late hosts are one rank, so that a late tick moves nothing', () => {
  const list = [candidate('b', 'late'), candidate('a', 'live')];
  assert.deepEqual(names(inOrder(list, { by: 'state', descending: true })), ['a', 'b']);
});

test('unknown values stand last in both directions', () => {
  const list = [
    candidate('none', 'live'),
    candidate('nan', 'live', NaN),
    candidate('zero', 'live', 0),
    candidate('hot', 'live', 90),
  ];
  assert.deepEqual(names(inOrder(list, { by: 'cpu', descending: true })), ['hot', 'zero', 'nan', 'none']);
  assert.deepEqual(names(inOrder(list, { by: 'cpu', descending: false })), ['zero', 'hot', 'nan', 'none']);
});

test('a query asks for all of its words in name, cluster, labels, system or state', () => {
  const one = entry('db-1', { cluster: 'berlin', labels: { rack: 'r7' } });
  assert.equal(matches('', one, 'live'), true);
  assert.equal(matches('DB berlin', one, 'live'), true);
  assert.equal(matches('rack=r7', one, 'live'), true);
  assert.equal(matches('db hamburg', one, 'live'), false);
  assert.equal(matches('state:down', one, 'live'), false);
  assert.equal(matches('state:down db', one, 'down'), true);
  assert.equal(matches(`cluster:${one.cluster}`, one, 'live'), true);
  assert.equal(matches(`cluster:${one.cluster.slice(1)}`, one, 'live'), false);
});
