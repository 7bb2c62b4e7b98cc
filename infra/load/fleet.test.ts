import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, type TestContext } from 'node:test';
import { Server, type Socket } from 'socket.io';
import { systemClock } from '@thrum/actors/system/clock';
import { eventually } from '@thrum/actors/testing/eventually';
import { helloSchema, type Hello } from '@thrum/actors/wire/agent-to-ingest';
import { decodeBatch, type ShapeMemory } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { refuse } from '@thrum/actors/wire/refusal';
import { simulatedCatalogue } from './catalogue.ts';
import { startFleet, type Fleet, type FleetOptions } from './fleet.ts';

type Reply = (answer: unknown) => void;
type Heard = { readonly host: string; readonly seq: number; readonly resend: boolean };
type Ingest = {
  readonly url: string;
  readonly heard: Heard[];
  readonly hellos: Hello[];
  readonly sockets: Socket[];
  byes: number;
};
const dictionary = dictionaryOf(simulatedCatalogue(2, 10));
const window = 4;

/** An ingest node as the protocol has it; `answer` decides about each batch. */
const ingestFor = async (
  t: TestContext,
  answer: (socket: Socket, heard: Heard, epoch: number) => void,
  hello: (hello: Hello) => unknown = () => ({
    ok: true,
    protocol: 1,
    node: 'n',
    window,
    needDictionary: true,
    serverMs: 0,
  }),
): Promise<Ingest> => {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  t.after(() => io.close());
  const { port } = http.address() as { port: number };
  const ingest: Ingest = { url: `http://127.0.0.1:${port}`, heard: [], hellos: [], sockets: [], byes: 0 };
  io.on('connection', (socket) => {
    ingest.sockets.push(socket);
    let host = '';
    let memory: ShapeMemory;
    let declared = false;
    socket.on('hello', (message: unknown, reply: Reply) => {
      const parsed = helloSchema.parse(message);
      ingest.hellos.push(parsed);
      host = parsed.host;
      reply(hello(parsed));
    });
    socket.on('dictionary', (message: unknown, reply: Reply) => {
      assert.deepEqual(message, dictionary);
      declared = true;
      reply({ ok: true });
    });
    socket.on('batch', (bytes: Buffer, resend: boolean) => {
      assert.ok(declared, 'a batch before the dictionary');
      const decoded = decodeBatch(bytes, dictionary, memory);
      assert.ok(decoded.ok);
      memory = decoded.memory;
      const heard = { host, seq: decoded.batch.seq, resend };
      ingest.heard.push(heard);
      answer(socket, heard, decoded.batch.epoch);
    });
    socket.on('bye', (reply: Reply) => {
      ingest.byes += 1;
      reply({ ok: true });
    });
  });
  return ingest;
};
const ack = (socket: Socket, { seq }: Heard, epoch: number): void => {
  socket.emit('ack', { epoch, ranges: [[seq, seq]], refused: [] });
};
const fleetFor = (t: TestContext, url: string, more: Partial<FleetOptions> = {}): Fleet => {
  const fleet = startFleet({
    url,
    token: 'a token of this test',
    agents: 3,
    targets: 2,
    values: 10,
    rate: 0,
    connectPerSecond: 1000,
    clock: systemClock,
    ...more,
  });
  t.after(() => fleet.stop());
  return fleet;
};

test('a fleet connects, declares its dictionary, keeps every window full and counts what is acknowledged', async (t) => {
  const ingest = await ingestFor(t, ack);
  const fleet = fleetFor(t, ingest.url);
  await fleet.untilReady(10_000);
  assert.equal(new Set(ingest.hellos.map((hello) => hello.host)).size, 3);
  fleet.setRate('max');
  await eventually(() => fleet.counts.batchesAcknowledged > 100);
  fleet.setRate(0);
  await eventually(() => fleet.unacknowledged() === 0);
  assert.equal(fleet.counts.valuesAcknowledged, fleet.counts.batchesAcknowledged * 20);
  assert.equal(fleet.latencies.count, fleet.counts.batchesAcknowledged);
  assert.equal(ingest.heard.length, fleet.counts.batchesSent);
  await fleet.stop();
  assert.equal(ingest.byes, 3);
});

test('without acknowledgements no more than the window is sent', async (t) => {
  const ingest = await ingestFor(t, () => undefined);
  const fleet = fleetFor(t, ingest.url, { rate: 'max' });
  await eventually(() => ingest.heard.length === 3 * window);
  assert.equal(fleet.counts.batchesSent, 3 * window);
  assert.equal(fleet.unacknowledged(), 3 * window);
});

test('a batch answered with busy is kept and sent again as a resend', async (t) => {
  const turned = new Set<number>();
  const ingest = await ingestFor(t, (socket, heard, epoch) => {
    if (heard.seq % 2 === 1 && !turned.has(heard.seq)) {
      turned.add(heard.seq);
      socket.emit('busy', { epoch, seq: heard.seq, afterMs: 20 });
    } else ack(socket, heard, epoch);
  });
  const fleet = fleetFor(t, ingest.url, { agents: 1 });
  await fleet.untilReady(10_000); // what is measured before waits, and comes as a resend too
  fleet.setRate(50);
  await eventually(() => fleet.counts.batchesResent >= 5);
  fleet.setRate(0);
  await eventually(() => fleet.unacknowledged() === 0);
  assert.deepEqual(new Set(ingest.heard.filter((one) => one.resend).map((one) => one.seq)), turned);
  assert.equal(fleet.counts.batchesAcknowledged, fleet.counts.batchesSent);
});

test('after a lost connection an agent connects again and resends what had no answer', async (t) => {
  let silent = true;
  const ingest = await ingestFor(t, (socket, heard, epoch) => {
    if (!silent) ack(socket, heard, epoch);
  });
  const fleet = fleetFor(t, ingest.url, { agents: 1, rate: 'max' });
  await eventually(() => ingest.heard.length === window);
  silent = false;
  ingest.sockets[0]?.conn.close();
  await eventually(() => fleet.counts.batchesAcknowledged > window);
  assert.equal(ingest.hellos.length, 2);
  const resent = ingest.heard.filter((one) => one.resend).map((one) => one.seq);
  assert.deepEqual(resent, [0, 1, 2, 3]);
});

test('a refusal for good ends the agent and is told with its reason', async (t) => {
  const ingest = await ingestFor(t, ack, () => refuse('bad-token', 'of another installation'));
  const fleet = fleetFor(t, ingest.url);
  await assert.rejects(fleet.untilReady(10_000), /refused for good: bad-token \(of another installation\)/);
  await eventually(() => fleet.over() === 3);
  assert.equal(fleet.counts.refused.get('bad-token'), 3);
});

test('at a given rate each agent sends that many batches a second, and refused samples are counted by reason', async (t) => {
  const ingest = await ingestFor(t, (socket, { seq }, epoch) => {
    const refused = seq === 0 ? [{ seq, code: 'unknown-target', samples: 2, detail: 'load_1' }] : [];
    socket.emit('ack', { epoch, ranges: [[seq, seq]], refused });
  });
  const fleet = fleetFor(t, ingest.url, { rate: 20 });
  await fleet.untilReady(10_000);
  const beganMs = performance.now();
  const before = fleet.counts.batchesSent;
  await eventually(() => fleet.counts.batchesSent - before >= 60);
  const perSecond = (fleet.counts.batchesSent - before) / ((performance.now() - beganMs) / 1000) / 3;
  assert.ok(perSecond < 30, `${perSecond} batches/s per agent`); // never faster; slower only on a loaded machine
  assert.equal(fleet.counts.samplesRefused.get('unknown-target'), 6);
});
