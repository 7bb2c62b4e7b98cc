import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { eventually } from '@thrum/actors/testing/eventually';
import { ackSchema, busySchema, welcomeSchema } from '@thrum/actors/wire/ingest-to-agent';
import { dictionary, sampleOf, scriptedStore, startNode, type NodeOptions, type TestNode } from './intake.contract.ts';
import { window } from './flights.ts';

const nodes: TestNode[] = [];
const start = async (options: NodeOptions = {}) => {
  const store = scriptedStore();
  const node = await startNode({ store, ...options });
  nodes.push(node);
  return { node, store };
};
after(async () => {
  for (const node of nodes) await node.close();
});
/** The states of connections as the roster tells them, from now on. */
const connectionStates = (node: TestNode): readonly string[] => {
  const states: string[] = [];
  node.presence.onChange(({ entries }) => void states.push(...entries.map(({ connection }) => connection)));
  return states;
};
const load = (timeMs?: number) => sampleOf('load', { load1: 0.5 }, timeMs === undefined ? {} : { timeMs });

test('a hello is answered with a welcome; the dictionary is asked for once for all agents', async () => {
  const { node } = await start();
  const first = node.agent();
  const welcome = welcomeSchema.parse(await first.ask('hello', first.hello));
  assert.equal(welcome.needDictionary, true);
  assert.equal(welcome.window, window);
  assert.equal(welcome.node, node.name);
  assert.deepEqual(await first.ask('dictionary', dictionary), { ok: true });
  const second = node.agent();
  assert.equal(welcomeSchema.parse(await second.greet()).needDictionary, false);
  await Promise.all([first.works(), second.works()]);
});

test('a batch reaches the store with its origin, and is acknowledged when the store has it and not before', async () => {
  const { node, store } = await start();
  const agent = node.agent({ cluster: 'blue', labels: { rack: 'r1' }, epoch: 7 });
  await agent.greet();
  store.does = 'never ends';
  const seq = agent.send([load(), sampleOf('memory', { usage: 50 })]);
  await eventually(() => assert.equal(store.writes.length, 1));
  const write = store.writes[0];
  assert.deepEqual(write?.origin, {
    hostId: agent.hello.host,
    hostName: 'test-host',
    cluster: 'blue',
    labels: { rack: 'r1' },
    epoch: 7,
    seq,
  });
  assert.deepEqual([...write.accepted], [1, 1]);
  assert.equal(agent.acks.length, 0);
  store.finish();
  await eventually(() => assert.ok(agent.acknowledged(seq)));
  assert.ok(agent.acks.every((ack) => ackSchema.safeParse(ack).success));
});

test('batches of many sequence numbers and epochs are acknowledged in ranges', async () => {
  const { node } = await start();
  const agent = node.agent({ epoch: 2 });
  await agent.greet();
  for (let i = 0; i < window; i += 1) agent.send([load(Date.now() + i)]);
  await eventually(() =>
    assert.ok(Array.from({ length: window }, (_, i) => i + 1).every((seq) => agent.acknowledged(seq))),
  );
  assert.ok(agent.acks.length < window, 'several batches share an acknowledgement');
});

test('without room in the store a batch is busy: shown live, kept by the agent, taken when it comes again', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'is full';
  const batchesShown = (): number => node.live.counters()['batches'] ?? 0;
  const seq = agent.send([load()]);
  await eventually(() => assert.equal(agent.busy.length, 1));
  assert.deepEqual(busySchema.parse(agent.busy[0]), { epoch: 1, seq, afterMs: 1234 });
  assert.equal(batchesShown(), 1);
  store.does = 'stores';
  agent.send([load()], { seq, resend: true });
  await eventually(() => assert.ok(agent.acknowledged(seq)));
  assert.equal(batchesShown(), 1, 'a resend is not shown a second time');
});

test('while the store keeps an agent waiting, batches beyond the window are still shown live and answered as busy', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'never ends';
  const batchesShown = (): number => node.live.counters()['batches'] ?? 0;
  for (let i = 0; i < window + 4; i += 1) agent.send([load()]);
  await eventually(() => assert.equal(agent.busy.length, 4));
  assert.equal(batchesShown(), window + 4);
  assert.equal(store.writes.length, window, 'no more than the window is held for one agent');
  store.finish();
  await eventually(() => assert.equal(agent.acks.flatMap((ack) => ack.ranges).length > 0, true));
});

test('a batch that comes again while it is being stored is not stored twice and acknowledged once it is', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'never ends';
  const seq = agent.send([load()]);
  agent.send([load()], { seq, resend: true });
  await eventually(() => assert.equal(node.intake.counts.batchesInFlightAgain, 1));
  assert.equal(store.writes.length, 1);
  store.finish();
  await eventually(() => assert.ok(agent.acknowledged(seq)));
});

test('what was under way when the connection was lost is waited for by the next one, not written again', async () => {
  const { node, store } = await start();
  const host = node.agent();
  await host.greet();
  store.does = 'never ends';
  const seqs = [host.send([load()]), host.send([load()])];
  await eventually(() => assert.equal(store.writes.length, 2));
  const again = node.agent({ host: host.hello.host, boot: host.hello.boot });
  await again.greet();
  await eventually(() => assert.ok(host.closed));
  for (const seq of seqs) again.send([load()], { seq, resend: true });
  await eventually(() => assert.equal(node.intake.counts.batchesInFlightAgain, 2));
  assert.equal(again.acks.length, 0);
  store.finish();
  await eventually(() => assert.ok(seqs.every((seq) => again.acknowledged(seq))));
  assert.equal(store.writes.length, 2);
  assert.equal(node.intake.gauges()['batchesUnderWay'], 0);
  store.does = 'stores';
  again.send([load()], { seq: seqs[0] ?? 0, resend: true });
  await eventually(() => assert.equal(store.writes.length, 3));
});

test('samples that can never be stored are refused with their reason, the rest of the batch is stored', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  const now = Date.now();
  const seq = agent.send([
    load(now),
    sampleOf('memory', { usage: 1 }, { timeMs: now + 600_000 }),
    sampleOf('host', { uptime: 1 }, { timeMs: now - 6 * 86_400_000 }),
    sampleOf('cpu', { usage: 1 }, { timeMs: now, fields: ['total'] }),
    sampleOf('cpu', { usage: 2 }, { timeMs: now, fields: ['total'] }),
  ]);
  await eventually(() => assert.ok(agent.acknowledged(seq)));
  assert.deepEqual([...(store.writes[0]?.accepted ?? [])], [1, 0, 0, 1, 0]);
  const codes = agent.acks.flatMap((ack) => ack.refused).map((one) => [one.seq, one.code, one.samples]);
  assert.deepEqual(codes, [
    [seq, 'time-ahead', 1],
    [seq, 'time-past', 1],
    [seq, 'time-order', 1],
  ]);
  assert.equal(node.intake.counts.samplesRefused.get('time-ahead'), 1);
  assert.equal(agent.closed, false);
  const none = agent.send([sampleOf('memory', { usage: 1 }, { timeMs: now + 600_000 })]);
  await eventually(() => assert.ok(agent.acknowledged(none)));
  assert.deepEqual([...(store.writes[1]?.accepted ?? [])], [0], 'the store keeps what is refused');
  assert.equal(store.writes[1]?.refused?.[0]?.code, 'time-ahead');
});

test('while nobody knows what time it is, nothing is refused for its time: that batch comes again', async () => {
  let isSure = false;
  const { node, store } = await start({ isTimeSure: () => isSure });
  const agent = node.agent();
  await agent.greet();
  const now = Date.now();
  const right = agent.send([load(now)]);
  const ahead = agent.send([load(now + 1000), sampleOf('memory', { usage: 1 }, { timeMs: now + 600_000 })]);
  await eventually(() => assert.ok(agent.acknowledged(right)));
  await eventually(() => assert.equal(agent.busy.length, 1));
  assert.equal(agent.acknowledged(ahead), false);
  assert.equal(store.writes.length, 1);
  assert.equal(node.intake.counts.batchesLeftForTime, 1);
  isSure = true;
  const again = agent.send([load(now + 1000), sampleOf('memory', { usage: 1 }, { timeMs: now + 600_000 })]);
  await eventually(() => assert.ok(agent.acknowledged(again)));
  assert.deepEqual([...(store.writes[1]?.accepted ?? [])], [1, 0]);
});

test('the store is told why samples are refused, and nothing of them is acknowledged before it has kept that', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'never ends';
  const now = Date.now();
  const seq = agent.send([sampleOf('memory', { usage: 1 }, { timeMs: now + 600_000 }), load(now)]);
  const none = agent.send([sampleOf('memory', { usage: 1 }, { timeMs: now - 6 * 86_400_000 })]);
  await eventually(() => assert.equal(store.writes.length, 2));
  assert.deepEqual(
    store.writes.map((write) => write.refused?.map((why) => why?.code)),
    [['time-ahead', undefined], ['time-past']],
  );
  assert.match(store.writes[0]?.refused?.[0]?.detail ?? '', /^memory.* at \d{4}-/);
  assert.equal(agent.acks.length, 0);
  store.finish();
  await eventually(() => assert.ok(agent.acknowledged(seq) && agent.acknowledged(none)));
});

test('a batch of which nothing is refused says nothing about refusals to the store', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  await agent.works();
  assert.equal(store.writes[0]?.refused, undefined);
});

test('what the store refuses is told to the agent like what the intake refuses', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'refuses';
  const seq = agent.send([load()]);
  await eventually(() => assert.ok(agent.acknowledged(seq)));
  assert.deepEqual(agent.acks[0]?.refused, [{ seq, code: 'not-stored', samples: 1, detail: 'scripted' }]);
  assert.equal(node.intake.counts.samplesRefused.get('not-stored'), 1);
});

test('a batch that the store gave up while closing is not acknowledged', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'closes';
  const seq = agent.send([load()]);
  await eventually(() => assert.equal(store.writes.length, 1));
  store.does = 'stores';
  await agent.works();
  assert.equal(agent.acknowledged(seq), false);
});

test('the same agent on a new connection takes over without a word; another start of it tells the old one to stop', async () => {
  const { node } = await start();
  const first = node.agent();
  await first.greet();
  const again = node.agent({ host: first.hello.host, boot: first.hello.boot });
  await again.greet();
  await eventually(() => assert.ok(first.closed));
  assert.deepEqual(first.refused, []);
  const clone = node.agent({ host: first.hello.host });
  await clone.greet();
  await again.isRefused('replaced');
  await clone.works();
  assert.equal(node.intake.gauges()['sessions'], 1);
});

test('a goodbye is answered, and nobody is alarmed', async () => {
  const { node } = await start();
  const agent = node.agent();
  const states = connectionStates(node);
  await agent.greet();
  await agent.works();
  await eventually(() => assert.deepEqual(states, ['connected']));
  assert.deepEqual(await agent.ask('bye'), { ok: true });
  agent.socket.disconnect();
  await eventually(() => assert.deepEqual(states, ['connected', 'left']));
});

test('a lost connection is reconnecting at once', async () => {
  const { node } = await start();
  const agent = node.agent();
  const states = connectionStates(node);
  await agent.greet();
  await eventually(() => assert.deepEqual(states, ['connected']));
  agent.socket.io.engine.close();
  await eventually(() => assert.deepEqual(states, ['connected', 'reconnecting']));
});

test('a stopping node acknowledges what lands in time, tells agents to go elsewhere, and takes no more', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  store.does = 'never ends';
  const seq = agent.send([load()]);
  await eventually(() => assert.equal(store.writes.length, 1));
  const closing = node.intake.close();
  systemClock.after(50, () => store.finish());
  await closing;
  await agent.isRefused('leaving');
  assert.ok(agent.acknowledged(seq));
});

test('handshakes beyond the rate are turned down and counted, those let in go on', async () => {
  const limits = { handshakesPerSecond: 0.001, burst: 2, maxConnections: 10, maxWaiting: 10, maxWaitingPerAddress: 10 };
  const { node } = await start({ admission: limits });
  const [first, second] = [node.agent(), node.agent()];
  await Promise.all([first.greet(), second.greet()]);
  const third = node.agent();
  await eventually(() => assert.ok(third.closed));
  assert.equal(node.intake.counts.handshakesTurnedDown, 1);
  await Promise.all([first.works(), second.works()]);
});

test('handshakes beyond the rate wait in line and are let in one after the other', async () => {
  const limits = { handshakesPerSecond: 20, burst: 1, maxConnections: 20, maxWaiting: 10, maxWaitingPerAddress: 1 };
  const { node } = await start({ admission: limits });
  const agents = Array.from({ length: 6 }, () => node.agent());
  await eventually(() => assert.ok((node.intake.gauges()['handshakesInLine'] ?? 0) > 0));
  await Promise.all(agents.map((agent) => agent.greet()));
  await Promise.all(agents.map((agent) => agent.works()));
  assert.equal(node.intake.counts.handshakesTurnedDown, 0);
  assert.equal(node.intake.gauges()['handshakesInLine'], 0);
});

test('who gives up in line leaves no trace, and who waits when the node stops is told', async () => {
  const limits = { handshakesPerSecond: 1, burst: 1, maxConnections: 20, maxWaiting: 10, maxWaitingPerAddress: 10 };
  const { node } = await start({ admission: limits });
  const first = node.agent();
  await first.greet();
  const inLine = (count: number) => eventually(() => assert.equal(node.intake.gauges()['handshakesInLine'], count));
  const knock = () => {
    const socket = connect(node.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    return socket;
  };
  const quitter = knock();
  await inLine(1);
  quitter.resetAndDestroy();
  await inLine(0);
  const stayer = knock();
  let told = '';
  stayer.on('data', (data) => (told += data.toString()));
  await inLine(1);
  await node.intake.close();
  await eventually(() => assert.match(told, /^HTTP\/1.1 400 [^]*leaving$/));
  assert.equal(node.intake.gauges()['handshakesInLine'], 0);
});

test('who says nothing is shown the door when his time is over', async () => {
  const { node } = await start({ helloWithinMs: 100 });
  const good = node.agent();
  await good.greet();
  const mute = node.agent();
  await mute.isRefused('hello-first');
  await good.works();
  assert.equal(node.intake.gauges()['connectionsWaiting'], 0);
});
