import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import type { RosterEntry } from '../wire/roster.ts';

const hostId = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
const entry = (at: number, changes: Partial<RosterEntry> = {}): RosterEntry => ({
  hostId: hostId(at),
  machine: {
    name: `host-${at}`,
    os: 'Debian 13',
    kernel: '6.12',
    arch: 'x64',
    model: 'm',
    cpu: 'c',
    cores: 4,
    memoryBytes: 8e9,
    virtual: '',
  },
  ...{ cluster: `c${at % 2}`, labels: { rack: 'r1' }, agentVersion: '1.0', periodMs: 1000, connection: 'connected' },
  ...{ sinceMs: 1_767_225_600_000, clockOffsetMs: 3, node: 'n00', epoch: 1, attempt: 1, degraded: [], claim: 0 },
  ...changes,
});

test('what one node says of its agents is known on all', async (t) => {
  const mesh = await startNodes(3);
  t.after(() => mesh.close());
  const all = mesh.nodes.map((node) => node.presence);
  all[0]?.put(entry(1));
  all[0]?.putContainer(hostId(1), { id: 'abc', name: 'web', state: 'running', health: 'healthy', sinceMs: 5 });
  all[1]?.put(entry(2, { node: 'n01', degraded: ['its clock is 3 s ahead'] }));
  await eventually(() => all.every((one) => one.agents().length === 2 && one.digest() === all[0]?.digest()));
  for (const one of all) {
    assert.deepEqual(one.agent(hostId(1)), entry(1));
    assert.equal(one.agent(hostId(2))?.node, 'n01');
    assert.equal(one.containers(hostId(1))[0]?.name, 'web');
    assert.deepEqual(
      one.clusters().map(({ cluster, degraded }) => [cluster, degraded]),
      [
        ['c0', 1],
        ['c1', 0],
      ],
    );
  }
});
