import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@thrum/actors/testing/random';
import { drawSchedule, type Planned, type Victims } from './schedule.ts';

const victims: Victims = {
  agents: ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5'],
  ingest: ['ingest-1', 'ingest-2'],
  balancer: 'haproxy',
  store: 'elasticsearch',
  smallDisks: ['agent-1', 'agent-2'],
  clocks: ['agent-3', 'agent-4'],
  smallQueues: ['agent-4'],
  shortAges: ['agent-3'],
  harmed: ['agent-3', 'agent-4', 'agent-5'],
};
const scheduleOf = (seed: number, of: Partial<Victims> = {}): Planned[] =>
  drawSchedule({ random: seededRandom(seed), forMs: 1_200_000, perMinute: 10, victims: { ...victims, ...of } });

test('twenty minutes hold about two hundred faults of every kind, the same for the same seed', () => {
  for (const seed of [1, 2, 3]) {
    const plan = scheduleOf(seed);
    assert.ok(plan.length >= 180 && plan.length <= 220, `${plan.length} faults`);
    assert.equal(new Set(plan.map(({ fault }) => fault.kind)).size, 9);
    assert.equal(new Set(plan.map(({ fault }) => (fault.kind === 'harm' ? fault.how : ''))).size, 4);
    assert.ok(plan.some(({ fault }) => fault.kind === 'cut' && fault.forMs > 90_000));
    assert.ok(plan.every(({ atMs }, i) => atMs < 1_200_000 && atMs >= (plan[i - 1]?.atMs ?? 0)));
    assert.deepEqual(scheduleOf(seed), plan);
  }
  assert.notDeepEqual(scheduleOf(1), scheduleOf(2));
});

test('nothing is paused or killed while it still is', () => {
  const until = new Map<string, number>();
  for (const { atMs, fault } of scheduleOf(4)) {
    assert.ok((until.get(fault.of) ?? 0) <= atMs, `${fault.of} at ${atMs}`);
    if (fault.kind === 'kill') until.set(fault.of, atMs + fault.downMs);
    if (fault.kind === 'harm') until.set(fault.of, atMs + fault.cutMs);
    if (fault.kind === 'age') until.set(fault.of, atMs + fault.cutMs + fault.forMs);
    if (['pause', 'disk-full', 'cut', 'stop-full'].includes(fault.kind) && 'forMs' in fault)
      until.set(fault.of, atMs + fault.forMs);
  }
});

test('without disks to fill and clocks to set the others are broken as often', () => {
  const plan = scheduleOf(5, { smallDisks: [], clocks: [], shortAges: [] });
  assert.ok(plan.length >= 180);
  assert.ok(plan.every(({ fault }) => !['clock', 'age', 'disk-full', 'stop-full'].includes(fault.kind)));
});
