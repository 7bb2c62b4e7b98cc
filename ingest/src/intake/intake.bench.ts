/**
 * What a batch costs an ingest node up to the store's door: socket.io, the session's actor, decoding, checks, live view, acknowledgement.
 * Run by hand: `node ingest/src/intake/intake.bench.ts [agents] [seconds]`. The agents run in a process of their own, so that only the
 * node's CPU is counted. One JSON line per figure; the peer is the same traffic answered by a bare socket.io server.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { counter, gauge, target } from '@thrum/actors/wire/schema';
import { scriptedStore, startNode, token } from './intake.contract.ts';

const targets = Array.from({ length: 7 }, (_, t) =>
  target({
    name: `bench_${t}`,
    title: '',
    sentence: '',
    fields: [],
    metrics: Array.from({ length: 100 }, (_, m) =>
      (m % 2 === 0 ? gauge : counter)(`metric_${m}`, 'count', 'A metric.'),
    ),
    charts: [],
  }),
);
const dictionary = dictionaryOf(targets);
const valuesPerBatch = 700;

const runAgents = async (url: string, agents: number): Promise<void> => {
  let timeMs = Date.now() - 60_000;
  let at = 0;
  const batch = (seq: number): Buffer => {
    at += 1;
    const samples = targets.map((_, target) => ({
      target,
      fields: [],
      timeMs: (timeMs += 1),
      values: Array.from({ length: 100 }, (_, m) => at * 10 + m),
    }));
    return Buffer.from(encodeBatch(dictionary, 1, seq, samples).bytes);
  };
  // Encoded once: the agents' process must not be the bottleneck. Sequence numbers are written in.
  const prepared = Array.from({ length: 64 }, (_, i) => batch(i));
  for (let i = 0; i < agents; i += 1) {
    const socket = io(url, { transports: ['websocket'], forceNew: true });
    let seq = 0;
    const send = (): void => {
      seq += 1;
      const bytes = Buffer.from(prepared[seq % prepared.length] as Buffer);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      view.setFloat64(16, seq, true);
      view.setFloat64(24, Date.now() + seq, true);
      socket.emit('batch', bytes, false);
    };
    socket.on('ack', (ack: { ranges: [number, number][] }) => {
      for (const [first, last] of ack.ranges) for (let n = first; n <= last; n += 1) send();
    });
    socket.on('busy', (busy: { afterMs: number }) => setTimeout(send, busy.afterMs));
    const machine = {
      name: 'bench',
      os: '',
      kernel: '',
      arch: '',
      model: '',
      cpu: '',
      cores: 1,
      memoryBytes: 1,
      virtual: '',
    };
    const who = {
      protocol: 1,
      token,
      host: randomUUID(),
      boot: randomUUID(),
      epoch: 1,
      agentVersion: 'bench',
      machine,
    };
    const how = { clockMs: Date.now(), periodMs: 1000, dictionary: dictionary.hash, cluster: 'bench', labels: {} };
    socket.emit('hello', { ...who, ...how }, (welcome: { needDictionary?: boolean }) => {
      const begin = (): void => {
        for (let n = 0; n < 16; n += 1) send();
      };
      if (welcome.needDictionary === true) socket.emit('dictionary', dictionary, begin);
      else begin();
    });
    await sleep(5);
  }
};

/** A server that does nothing but receive the same events and acknowledge them the same way. */
const bareServer = async (): Promise<{ url: string; batches: () => number; close: () => Promise<void> }> => {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
  let batches = 0;
  server.on('connection', (socket) => {
    let waiting: number[] = [];
    socket.on('hello', (_hello: unknown, reply: (answer: unknown) => void) => reply({ ok: true }));
    socket.on('batch', (bytes: Buffer) => {
      batches += 1;
      if (waiting.push(bytes.readDoubleLE(16)) === 1)
        setTimeout(() => {
          socket.emit('ack', { epoch: 1, ranges: waiting.map((seq) => [seq, seq]), refused: [] });
          waiting = [];
        }, 20);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { url, batches: () => batches, close: () => server.close() };
};

const measure = async (url: string, batches: () => number, agents: number, seconds: number) => {
  const child = fork(new URL(import.meta.url), ['agents', url, String(agents)]);
  await sleep(1_500 + agents * 6);
  const from = { batches: batches(), cpu: process.cpuUsage(), ms: performance.now() };
  await sleep(seconds * 1000);
  const cpu = process.cpuUsage(from.cpu);
  const count = batches() - from.batches;
  child.kill();
  await once(child, 'exit');
  return {
    microsecondsPerBatch: (cpu.user + cpu.system) / count,
    perSecond: (count * 1000) / (performance.now() - from.ms),
  };
};

const say = (name: string, value: number, unit: string, peer: number): void => {
  const rounded = (n: number): number => Math.round(n * 100) / 100;
  const figure = { name, value: rounded(value), unit, peer: rounded(peer), ratio: rounded(value / peer) };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
};

if (process.argv[2] === 'agents') await runAgents(process.argv[3] ?? '', Number(process.argv[4]));
else {
  const agents = Number(process.argv[2] ?? 20);
  const seconds = Number(process.argv[3] ?? 5);
  const bare = await bareServer();
  const peer = await measure(bare.url, bare.batches, agents, seconds);
  await bare.close();
  const admission = {
    handshakesPerSecond: 1e4,
    burst: 1e4,
    maxConnections: 1e4,
    maxWaiting: 1e4,
    maxWaitingPerAddress: 1e4,
  };
  const done = Promise.resolve({ ok: true, refused: [] } as const);
  const store = { ...scriptedStore(), write: () => ({ ok: true, done }) as const };
  const node = await startNode({ store, admission, catalogue: targets });
  const ours = await measure(node.url, () => node.intake.counts.batches, agents, seconds);
  const refused = [...node.intake.counts.refused, ...node.intake.counts.samplesRefused];
  if (refused.length > 0) throw new Error(`the bench itself is wrong: ${JSON.stringify(refused)}`);
  await node.close();
  say('intake-cpu-per-batch', ours.microsecondsPerBatch, 'us', peer.microsecondsPerBatch);
  say('intake-batches-per-second', ours.perSecond, '1/s', peer.perSecond);
  say('intake-values-per-second', ours.perSecond * valuesPerBatch, '1/s', peer.perSecond * valuesPerBatch);
  process.exit(0);
}
