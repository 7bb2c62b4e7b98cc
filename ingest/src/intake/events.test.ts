/** Events and the pace of backlogs, over real sockets. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import type { AgentEvent } from '@thrum/actors/wire/events';
import { welcomeSchema } from '@thrum/actors/wire/ingest-to-agent';
import { limits } from '@thrum/actors/wire/limits';
import { window } from './flights.ts';
import { sampleOf, scriptedStore, startNode, type TestNode } from './intake.contract.ts';

const nodes: TestNode[] = [];
const start = async () => {
  const store = scriptedStore();
  const node = await startNode({ store });
  nodes.push(node);
  const agent = node.agent();
  return { node, store, agent };
};
after(async () => {
  for (const node of nodes) await node.close();
});
const event = (id: string): AgentEvent => ({ kind: 'gap', id, timeMs: 5, facts: { reason: 'full', samples: 7 } });
const load = () => sampleOf('load', { load1: 0.5 });

test('events reach the store with their origin, and are acknowledged when it has them and not before', async () => {
  const { node, store, agent } = await start();
  await agent.greet();
  store.does = 'never ends';
  const seq = agent.tell([event('1-1'), event('1-2')]);
  await eventually(() => assert.equal(store.events.length, 1));
  const { origin, events } = store.events[0] ?? {};
  assert.deepEqual([origin?.hostId, origin?.epoch, origin?.seq], [agent.hello.host, 1, seq]);
  assert.deepEqual(events, [event('1-1'), event('1-2')]);
  assert.equal(agent.acks.length, 0);
  store.finish();
  await eventually(() => assert.ok(agent.acknowledged(seq)));
  assert.equal(node.intake.counts.events, 2);
  assert.equal(node.live.counters()['batches'], 0, 'nothing of it is shown as values');
});

test('events and batches share their numbers, their window and their acknowledgements', async () => {
  const { store, agent } = await start();
  await agent.greet();
  store.does = 'never ends';
  for (let i = 0; i < window - 1; i += 1) agent.send([load()]);
  agent.tell([event('2-1')]);
  const beyond = agent.tell([event('2-2')]);
  await eventually(() => assert.deepEqual([agent.busy[0]?.seq, agent.busy.length], [beyond, 1]));
  store.does = 'stores';
  store.finish();
  await eventually(() => assert.ok(agent.acknowledged(window)));
  assert.deepEqual(agent.acks[0]?.ranges, [[1, window]]);
});

test('without room in the store events are busy and taken when they come again', async () => {
  const { store, agent } = await start();
  await agent.greet();
  store.does = 'is full';
  const seq = agent.tell([event('3-1')]);
  await eventually(() => assert.deepEqual(agent.busy, [{ epoch: 1, seq, afterMs: 1234 }]));
  store.does = 'stores';
  agent.tell([event('3-1')], seq);
  await eventually(() => assert.ok(agent.acknowledged(seq)));
});

test('events that are under way from an earlier connection are waited for, not written again', async () => {
  const { node, store, agent } = await start();
  await agent.greet();
  store.does = 'never ends';
  const seq = agent.tell([event('4-1')]);
  await eventually(() => assert.equal(store.events.length, 1));
  const again = node.agent({ host: agent.hello.host, boot: agent.hello.boot });
  await again.greet();
  again.tell([event('4-1')], seq);
  await eventually(() => assert.equal(node.intake.counts.batchesInFlightAgain, 1));
  store.finish();
  await eventually(() => assert.ok(again.acknowledged(seq)));
  assert.equal(store.events.length, 1);
});

test('events that cannot be read end the connection with the reason', async () => {
  for (const [bytes, code] of [
    ['text', 'malformed'],
    [Buffer.from('{"epoch":1}'), 'malformed'],
    [Buffer.alloc(limits.maxEventsBytes + 1), 'too-large'],
  ] as const) {
    const { agent } = await start();
    await agent.greet();
    agent.socket.emit('events', bytes);
    await agent.isRefused(code);
  }
});

test('a welcome says what may come of a backlog, and a pace says when that changes', async () => {
  const { node, store, agent } = await start();
  const welcome = welcomeSchema.parse(await agent.greet());
  assert.ok((welcome.backlog ?? 0) > 0);
  store.becomes('away');
  await eventually(() => assert.deepEqual(agent.paces, [{ backlog: 0 }]));
  const later = node.agent();
  assert.equal(welcomeSchema.parse(await later.greet()).backlog, 0);
  store.becomes('ready');
  await eventually(() => assert.equal(agent.paces.length, 2));
  await eventually(() => assert.equal(later.paces.length, 1));
  assert.ok((later.paces[0]?.backlog ?? 0) > 0);
});

test('an agent of version 2 is told nothing of a pace', async () => {
  const { node, store } = await start();
  const agent = node.agent({ protocol: 2 });
  const witness = node.agent();
  assert.deepEqual(Object.keys((await agent.greet()) as object).includes('backlog'), false);
  await witness.greet();
  store.becomes('away');
  await eventually(() => assert.equal(witness.paces.length, 1));
  store.becomes('ready');
  await eventually(() => assert.equal(witness.paces.length, 2));
  await agent.works();
  assert.deepEqual(agent.paces, []);
});

test('an agent that sends and never reads what it is told is cut off, and nobody else notices', async () => {
  const { node, store, agent } = await start();
  await agent.greet();
  const bystander = node.agent();
  await bystander.greet();
  // Refused for three reasons, each told with a long name: much to tell for little that is sent.
  const fields = ['x'.repeat(500), 'ext4', '/'];
  const refused = [600_000, -6 * 86_400_000, 0, 0].map((aheadMs) =>
    sampleOf('filesystem', { usage: 1 }, { fields, timeMs: Date.now() + aheadMs }),
  );
  const socket: unknown = Reflect.get(Reflect.get(agent.socket.io.engine.transport, 'ws') as object, '_socket');
  (socket as { pause(): void }).pause();
  const sending = setInterval(() => {
    for (let i = 0; i < 8; i += 1) agent.send(refused);
  }, 2);
  try {
    await eventually(() => assert.equal(node.intake.counts.connectionsNotReading, 1), { withinMs: 30_000 });
  } finally {
    clearInterval(sending);
  }
  await eventually(() => assert.equal(node.intake.gauges()['sessions'], 1));
  await bystander.works();
  assert.ok(store.writes.length > 0);
});

test('a host that tells more events than it may is asked to come later, and none of what it tells is lost', async () => {
  const store = scriptedStore();
  const node = await startNode({ store, eventAllowance: { burst: 3, refillPerSecond: 10, maxHosts: 10 } });
  nodes.push(node);
  const agent = node.agent();
  await agent.greet();
  const first = agent.tell([event('5-1'), event('5-2')]);
  const beyond = agent.tell([event('5-3'), event('5-4')]);
  await eventually(() => assert.equal(agent.busy.length, 1));
  await eventually(() => assert.ok(agent.acknowledged(first)));
  assert.deepEqual([agent.busy[0]?.seq, agent.acknowledged(beyond)], [beyond, false]);
  assert.ok((agent.busy[0]?.afterMs ?? 0) >= 1_000);
  assert.equal(node.intake.counts.eventMessagesHeldBack, 1);
  const batch = agent.send([load()]);
  await eventually(() => assert.ok(agent.acknowledged(batch)));
  await eventually(() => {
    if (!agent.acknowledged(beyond)) agent.tell([event('5-3'), event('5-4')], beyond);
    assert.ok(agent.acknowledged(beyond));
  });
  const told = store.events.flatMap(({ events }) => events.map(({ id }) => id));
  assert.deepEqual([...new Set(told)], ['5-1', '5-2', '5-3', '5-4']);
});
