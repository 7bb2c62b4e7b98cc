import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLog } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryHash, dictionaryOf } from '@thrum/actors/wire/dictionary';
import { limits } from '@thrum/actors/wire/limits';
import type { refusals } from '@thrum/actors/wire/refusal';
import { counter, gauge, target } from '@thrum/actors/wire/schema';
import {
  dictionary,
  sampleOf,
  scriptedStore,
  startNode,
  token,
  type TestAgent,
  type TestNode,
} from './intake.contract.ts';

const store = scriptedStore();
const admission = {
  handshakesPerSecond: 10_000,
  burst: 10_000,
  maxConnections: 10_000,
  maxWaiting: 1000,
  maxWaitingPerAddress: 1000,
};
let node: TestNode;
/** The session that has to go on undisturbed, whatever the others do. */
let bystander: TestAgent;
before(async () => {
  node = await startNode({ store, admission });
  bystander = node.agent();
  await bystander.greet();
});
after(() => node.close());

const undisturbed = async (): Promise<void> => {
  await bystander.works();
  assert.equal(bystander.closed, false);
  assert.deepEqual(bystander.refused, []);
};
const countOf = (code: keyof typeof refusals): number => node.intake.counts.refused.get(code) ?? 0;
const greeted = async (): Promise<TestAgent> => {
  const agent = node.agent();
  await agent.greet();
  return agent;
};
const good = (): Uint8Array =>
  encodeBatch(dictionary, 1, 1, [
    sampleOf('load', { load1: 1, load5: 2 }),
    sampleOf('network', { received_bytes: 5, sent_bytes: 6 }, { fields: ['eth0'] }),
  ]).bytes;

test('an unknown token is refused, closed and counted', async () => {
  const before = countOf('bad-token');
  const agent = node.agent({ token: 'a guess' });
  assert.deepEqual(await agent.ask('hello', agent.hello), { ok: false, code: 'bad-token', detail: '' });
  await agent.isRefused('bad-token');
  assert.equal(countOf('bad-token'), before + 1);
  await undisturbed();
});

test('what ends a connection is logged once, with its reason and without a secret', async () => {
  const lines: string[] = [];
  const log = createLog({ name: 'ingest', level: 'warn', sink: { write: (line) => void lines.push(line) } });
  const spoken = await startNode({ log });
  try {
    const stranger = spoken.agent({ token: 'a guess' });
    await stranger.ask('hello', stranger.hello);
    await stranger.isRefused('bad-token');
    const broken = spoken.agent();
    await broken.greet();
    broken.socket.emit('batch', new Uint8Array(100));
    broken.socket.emit('batch', new Uint8Array(100));
    await broken.isRefused('malformed');
    const flood = Array.from({ length: 20 }, () => spoken.agent({ token: 'a guess' }));
    await Promise.all(flood.map((one) => one.ask('hello', one.hello)));
    assert.equal(spoken.intake.counts.refused.get('bad-token'), 21);
    assert.equal(spoken.intake.counts.refusalsNotLogged, 20, 'strangers do not fill the log');
    const said = lines.map((line) => JSON.parse(line) as { part?: string; code?: string });
    const codes = said.filter(({ part }) => part === 'intake').map(({ code }) => code);
    assert.deepEqual(codes, ['bad-token', 'malformed']);
    assert.ok(!lines.some((line) => line.includes('a guess') || line.includes(token)));
  } finally {
    await spoken.close();
  }
});

test('another version of the protocol is refused with the versions spoken here', async () => {
  const agent = node.agent({ protocol: 99 });
  await agent.ask('hello', agent.hello);
  assert.match((await agent.isRefused('protocol-version')).detail, /spoken here: 1/);
  await undisturbed();
});

test('hellos that are none are refused as malformed', async () => {
  const hellos: unknown[] = [undefined, null, 5, 'hello', [], { protocol: 1, token }, { __proto__: { protocol: 1 } }];
  for (const hello of hellos) {
    const agent = node.agent();
    agent.socket.emit('hello', hello, () => undefined);
    await agent.isRefused('malformed');
  }
  const twice = await greeted();
  twice.socket.emit('hello', twice.hello);
  await twice.isRefused('malformed');
  await undisturbed();
});

test('anything before a hello is refused, binary or not', async () => {
  for (const say of [
    (agent: TestAgent) => agent.sendBytes(good()),
    (agent: TestAgent) => agent.socket.emit('dictionary', dictionary),
    (agent: TestAgent) => agent.socket.emit('bye'),
    (agent: TestAgent) => agent.socket.emit('__proto__', {}),
  ]) {
    const agent = node.agent();
    say(agent);
    await agent.isRefused('hello-first');
  }
  await undisturbed();
});

test('a thing that is no function in the place of the acknowledgement is left alone', async () => {
  const agent = node.agent();
  const hellos = node.intake.counts.hellos;
  agent.socket.emit('hello', agent.hello, 'not a function', { call: 1 });
  await eventually(() => assert.equal(node.intake.counts.hellos, hellos + 1));
  await agent.works();
  agent.socket.emit('bye', { apply: 1 });
  await agent.works();
  await undisturbed();
});

test('what is no socket.io packet is refused as malformed', async () => {
  for (const packet of [
    '9nonsense',
    '2{"not":"an event"}',
    '2["connect"]',
    '51-["batch",{"_placeholder":true,"num":7}]',
    '59999-["x"]',
  ]) {
    const agent = await greeted();
    agent.socket.io.engine.write(packet);
    if (packet.startsWith('51')) agent.socket.io.engine.write(Buffer.of(1));
    await agent.isRefused('malformed');
  }
  await undisturbed();
});

test('a batch that is none is refused as malformed', async () => {
  for (const bytes of [undefined, null, 'text', 5, {}, [1, 2, 3], { type: 'Buffer', data: [1] }]) {
    const agent = await greeted();
    agent.socket.emit('batch', bytes, false);
    await agent.isRefused('malformed');
  }
  await undisturbed();
});

test('every prefix of a good batch is refused as malformed', { timeout: 120_000 }, async () => {
  const bytes = good();
  for (let length = 0; length < bytes.length; length += 1) {
    const agent = await greeted();
    agent.sendBytes(bytes.subarray(0, length));
    await agent.isRefused('malformed');
  }
  await undisturbed();
});

test('a batch larger than allowed is refused, one far larger is cut off', async () => {
  const agent = await greeted();
  const large = new Uint8Array(limits.maxBatchBytes + 1);
  large.set(good());
  agent.sendBytes(large);
  await agent.isRefused('too-large');
  const huge = await greeted();
  huge.sendBytes(new Uint8Array(3 * limits.maxBatchBytes));
  await eventually(() => assert.ok(huge.closed));
  await undisturbed();
});

test('before a hello a message may be as large as a hello and no larger, so that strangers hold little', async () => {
  const stranger = node.agent();
  await eventually(() => assert.ok(stranger.socket.connected));
  stranger.socket.emit('hello', { ...stranger.hello, padding: 'x'.repeat(70_000) });
  await eventually(() => assert.ok(stranger.closed));
  const large = node.agent();
  await large.ask('hello', { ...large.hello, padding: 'x'.repeat(50_000) });
  await large.works();
  await undisturbed();
});

test('a batch of a dictionary nobody declared is refused', async () => {
  const agent = await greeted();
  const bytes = good();
  bytes.fill(7, 4, 12);
  agent.sendBytes(bytes);
  await agent.isRefused('unknown-dictionary');
  await undisturbed();
});

test('a dictionary that contradicts the catalogue, or is not what it says it is, is refused', async () => {
  const [first] = dictionary.targets;
  assert.ok(first);
  const otherFields = [{ ...first, fields: ['made_up'] }];
  const agent = await greeted();
  await agent.ask('dictionary', { hash: dictionaryHash(otherFields), targets: otherFields });
  await agent.isRefused('schema-conflict');
  const liar = await greeted();
  await liar.ask('dictionary', { hash: dictionary.hash, targets: otherFields });
  await liar.isRefused('malformed');
  await undisturbed();
});

test('samples of an unknown target are refused with their reason, the rest is stored', async () => {
  const strange = target({
    name: 'strange',
    title: '',
    sentence: '',
    fields: [],
    metrics: [gauge('value', 'count', 'A value.'), counter('count', 'count', 'A count.')],
    charts: [],
  });
  const own = dictionaryOf([...catalogue, strange]);
  const agent = node.agent({ dictionary: own.hash });
  await agent.ask('hello', agent.hello);
  assert.deepEqual(await agent.ask('dictionary', own), { ok: true });
  const writes = store.writes.length;
  const samples = [sampleOf('strange', { value: 1 }, { in: own }), sampleOf('load', { load1: 1 }, { in: own })];
  agent.sendBytes(encodeBatch(own, 1, 1, samples).bytes);
  await eventually(() => assert.ok(agent.acknowledged(1)));
  assert.deepEqual(agent.acks[0]?.refused, [{ seq: 1, code: 'unknown-target', samples: 1, detail: 'strange' }]);
  assert.deepEqual([...(store.writes[writes]?.accepted ?? [])], [0, 1]);
  await undisturbed();
});

test('values that are not finite are left out and counted, the rest is stored', async () => {
  const agent = await greeted();
  for (const [seq, bad] of [Number.NaN, Infinity, -Infinity].entries()) {
    const { bytes } = encodeBatch(dictionary, 1, seq, [sampleOf('load', { load1: 1, load5: 2, load15: 3 })]);
    new DataView(bytes.buffer).setFloat64(56, bad, true);
    const before = node.intake.counts.valuesBad;
    agent.sendBytes(bytes);
    await eventually(() => assert.ok(agent.acknowledged(seq)));
    assert.equal(node.intake.counts.valuesBad, before + 1);
    const stored = store.writes.findLast((write) => write.origin.hostId === agent.hello.host);
    assert.deepEqual([...(stored?.batch.values ?? [])], [1, Number.NaN, 3]);
    assert.deepEqual([...(stored?.accepted ?? [])], [1]);
  }
  await undisturbed();
});

test('control characters, markup and odd letters in field values are data and stay as they are', async () => {
  const agent = await greeted();
  const fields = ['\u0000\u001b[31m', '<script>alert(1)</script>', '__proto__'];
  const seq = agent.send([sampleOf('filesystem', { usage: 5 }, { fields })]);
  await eventually(() => assert.ok(agent.acknowledged(seq)));
  const stored = store.writes.findLast((write) => write.origin.hostId === agent.hello.host);
  assert.deepEqual(stored?.batch.shape.series[0]?.fields, fields);
  await undisturbed();
});

test('series beyond what a host may have are refused, those it has go on', { timeout: 60_000 }, async () => {
  const agent = await greeted();
  const disks = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => sampleOf('disk', { reads: 1 }, { fields: [`d${from + i}`] }));
  const first = agent.send(disks(0, limits.maxSeriesPerHost));
  await eventually(() => assert.ok(agent.acknowledged(first)));
  const second = agent.send(disks(limits.maxSeriesPerHost - 10, limits.maxSeriesPerHost + 5));
  await eventually(() => assert.ok(agent.acknowledged(second)));
  const refused = agent.acks.flatMap((ack) => ack.refused);
  assert.deepEqual(
    refused.map((one) => [one.seq, one.code, one.samples]),
    [[second, 'too-many-series', 5]],
  );
  const again = node.agent({ host: agent.hello.host, boot: agent.hello.boot });
  await again.greet();
  const third = again.send(disks(limits.maxSeriesPerHost + 10, limits.maxSeriesPerHost + 20));
  await eventually(() => assert.ok(again.acknowledged(third)));
  assert.equal(again.acks.at(-1)?.refused[0]?.samples, 10, 'a new connection makes no room for ten more');
  await undisturbed();
});

test('who sends far more than the window allows is refused as too fast', async () => {
  store.does = 'never ends';
  const agent = await greeted();
  for (let i = 0; i < 300; i += 1) agent.send([sampleOf('load', { load1: i })]);
  await agent.isRefused('too-fast');
  store.does = 'stores';
  store.finish();
  await undisturbed();
});

test('events nobody knows are ignored and counted, until there are too many', async () => {
  const agent = await greeted();
  for (let i = 0; i < 20; i += 1) agent.socket.emit(`event-${i}`, { a: 1 }, () => undefined);
  await agent.works();
  // A name that means something to an emitter of events: nothing an agent sends may end up in one of our own listeners.
  for (let i = 0; i < 100; i += 1) agent.socket.emit('error', i);
  await agent.isRefused('malformed');
  await undisturbed();
});

test('a session that crashes is closed with a reason, its agent may come again, and no other notices', async () => {
  const before = node.intake.counts.sessionsFailed;
  const agent = await greeted();
  store.does = 'throws';
  agent.send([sampleOf('load', { load1: 1 })]);
  await agent.isRefused('try-later');
  store.does = 'stores';
  assert.equal(node.intake.counts.sessionsFailed, before + 1);
  const again = node.agent({ host: agent.hello.host, boot: agent.hello.boot });
  await again.greet();
  await again.works();
  await undisturbed();
});
