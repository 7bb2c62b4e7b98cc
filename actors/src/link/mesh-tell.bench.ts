/**
 * What a node does that is told much by another, beside bare WebSocket frames of the same payload, in two processes and in turns: messages a
 * second as fast as they go, and how long each takes at a given pace. One JSON line per figure on stdout. `npm run bench -- mesh-tell` runs it;
 * by hand: node actors/src/link/mesh-tell.bench.ts
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { createActorSystem } from '../system/actor-system.ts';
import type { ActorRef } from '../system/actor-system.ts';
import { systemClock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { startLinks } from './links.ts';
import { startMeshActors } from './mesh-actors.ts';

const payloadBytes = 200;
const seconds = Number(process.env['THRUM_BENCH_SECONDS'] ?? 4);
const rounds = 5;
const pace = 10_000;

type Report = { got: number; lastMs: number; delaysUs: number[]; cpuUs: number };
type ToSink = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'report'; reply: (report: Report) => void };

/** The same on both sides: the monotonic clock of the machine, which all processes share. */
const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
/** Of this process so far: a figure that a busy machine blurs less than it does the time. */
const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const stamp = (bytes: Uint8Array): Uint8Array => {
  Buffer.from(bytes.buffer, bytes.byteOffset).writeDoubleBE(nowUs());
  return bytes;
};

const start = async (id: string, seeds: readonly string[]) => {
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const self = { id, name: id, role: 'ingest' } as const;
  const links = await startLinks({ self, key: 'a key for this bench only', bind: '127.0.0.1', port: 0, seeds, system });
  return { system, links, actors: startMeshActors({ links, system }) };
};

/** Counts what arrives; from the first byte that is not 0 on it also notes how long each took. */
const tally = () => {
  let got = 0;
  let delaysUs: number[] = [];
  return {
    take: (bytes: Uint8Array): void => {
      got += 1;
      if (bytes[0] !== 0) delaysUs.push(nowUs() - Buffer.from(bytes.buffer, bytes.byteOffset).readDoubleBE());
    },
    report: (): Report => {
      const report = { got, lastMs: nowUs() / 1000, delaysUs, cpuUs: cpuUs() };
      got = 0;
      delaysUs = [];
      return report;
    },
  };
};

const receive = async (): Promise<void> => {
  const { system, links, actors } = await start('receiver', []);
  const [toActor, toEndpoint, toBare] = [tally(), tally(), tally()];
  const sink = system.spawn<ToSink | Uint8Array, undefined>({
    ...{ name: 'sink', mailbox: { max: 1_000_000, whenFull: 'refuse' }, restart: { times: 0, withinMs: 1 } },
    start: () => undefined,
    receive: (_state, message) => {
      if (message instanceof Uint8Array) toActor.take(message);
      else if (message.kind === 'report') message.reply(toActor.report());
      return undefined;
    },
  });
  actors.register('sink', sink);
  links.serve('sink', (message) => toEndpoint.take(message as Uint8Array));
  links.serve('report', () => toEndpoint.report());
  links.serve('echo', (message) => message);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) socket.send(data.length === 1 ? JSON.stringify(toBare.report()) : data);
      else toBare.take(data);
    });
  });
  process.send?.({ mesh: links.self.address, bare: (server.address() as AddressInfo).port });
  process.once('disconnect', () => process.exit(0));
};

/** One way to the other process. `tell` is false when there is no room at the moment. */
type Way = { tell(bytes: Uint8Array): boolean; report(): Promise<Report>; echo(): Promise<unknown> };

const perSecond = async (way: Way): Promise<{ rate: number; costUs: number }> => {
  const payload = new Uint8Array(payloadBytes);
  const cpuBeforeUs = (await way.report()).cpuUs + cpuUs();
  const startMs = nowUs() / 1000;
  let sent = 0;
  while (nowUs() / 1000 - startMs < (seconds * 1000) / rounds) {
    for (let at = 0; at < 500; at += 1)
      if (way.tell(payload)) sent += 1;
      else break;
    await nextTurn();
  }
  const report = await way.report();
  if (report.got !== sent) process.stderr.write(`${sent} were sent and ${report.got} arrived\n`);
  const costUs = (report.cpuUs + cpuUs() - cpuBeforeUs) / report.got;
  return { rate: report.got / ((report.lastMs - startMs) / 1000), costUs };
};

const delays = async (way: Way): Promise<number[]> => {
  const startMs = performance.now();
  let sent = 0;
  while (performance.now() - startMs < (seconds * 1000) / rounds) {
    const due = ((performance.now() - startMs) * pace) / 1000;
    for (; sent < due; sent += 1) way.tell(stamp(new Uint8Array(payloadBytes)));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return (await way.report()).delaysUs;
};

const roundTripsUs = async (way: Way): Promise<number> => {
  const trips = 1000;
  const startUs = nowUs();
  for (let at = 0; at < trips; at += 1) await way.echo();
  return (nowUs() - startUs) / trips;
};

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(part * (values.length - 1))] ?? NaN;
const median = (values: readonly number[]): number => quantile(values, 0.5);
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
const print = (name: string, unit: string, value: number, peer: number, wanted?: string): void => {
  const compared = { value: rounded(value), unit, peer: rounded(peer), peerIs: 'bare ws, a frame each' };
  const figure = { name: `mesh-tell/${name}`, ...compared, ratio: rounded(value / peer), ...(wanted && { wanted }) };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
};

const send = async (): Promise<void> => {
  const receiver = fork(import.meta.filename, ['receiver'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [address] = (await once(receiver, 'message')) as [{ mesh: string; bare: number }];
  const { system, links, actors } = await start('sender', [address.mesh]);
  const socket = new WebSocket(`ws://127.0.0.1:${address.bare}`, { perMessageDeflate: false });
  await once(socket, 'open');
  while (actors.lookup('sink').length === 0) await nextTurn();
  const sink = actors.lookup<ToSink | Uint8Array>('sink')[0]?.actor as ActorRef<ToSink | Uint8Array>;
  const answer = async (): Promise<string> => String(((await once(socket, 'message')) as [Buffer])[0]);
  const orThrow = (outcome: { ok: true; value: unknown } | { ok: false; reason: string }): Report => {
    if (!outcome.ok) throw new Error(`no answer: ${outcome.reason}`);
    return outcome.value as Report;
  };
  const small = new Uint8Array(payloadBytes);
  const ways: Readonly<Record<'bare' | 'endpoint' | 'actor', Way>> = {
    bare: {
      tell: (bytes) => socket.bufferedAmount < 4_000_000 && (socket.send(bytes), true),
      report: () => (socket.send('r'), answer().then((text) => JSON.parse(text) as Report)),
      echo: () => (socket.send('x'.repeat(payloadBytes)), answer()),
    },
    endpoint: {
      tell: (bytes) => links.tell('receiver', 'sink', bytes).ok,
      report: async () => orThrow(await links.ask('receiver', 'report', null, { deadlineMs: 60_000 })),
      echo: () => links.ask('receiver', 'echo', small, { deadlineMs: 5000 }),
    },
    actor: {
      tell: (bytes) => sink.tell(bytes).ok,
      report: async () =>
        orThrow(await sink.ask<Report>((reply) => ({ kind: 'report', reply }), { deadlineMs: 60_000 })),
      echo: () => sink.ask<Report>((reply) => ({ kind: 'report', reply }), { deadlineMs: 60_000 }),
    },
  };
  const names = Object.keys(ways) as (keyof typeof ways)[];
  const rates: Record<string, number[]> = { bare: [], endpoint: [], actor: [] };
  const costs: Record<string, number[]> = { bare: [], endpoint: [], actor: [] };
  const late: Record<string, number[]> = { bare: [], endpoint: [], actor: [] };
  const trips: Record<string, number[]> = { bare: [], endpoint: [], actor: [] };
  const inTurns = async (measure: (name: keyof typeof ways) => Promise<void>): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) for (const name of names) await measure(name);
  };
  // The pace first: what is told as fast as it goes leaves both processes with memory to tidy up.
  for (const name of names) await delays(ways[name]);
  await inTurns(async (name) => void late[name]?.push(...(await delays(ways[name]))));
  await inTurns(async (name) => void trips[name]?.push(await roundTripsUs(ways[name])));
  await inTurns(async (name) => {
    const { rate, costUs } = await perSecond(ways[name]);
    rates[name]?.push(rate);
    costs[name]?.push(costUs);
  });
  for (const name of ['actor', 'endpoint'] as const) {
    const rate = median(rates[name] ?? []);
    print(
      name,
      `messages/s of ${payloadBytes} B`,
      Math.round(rate),
      Math.round(median(rates['bare'] ?? [])),
      '≥ 200000',
    );
    for (const [part, wanted] of [
      [0.5, undefined],
      [0.99, '≤ 2'],
    ] as const)
      print(
        `${name}/p${part * 100}-at-${pace}-a-second`,
        'ms',
        quantile(late[name] ?? [], part) / 1000,
        quantile(late['bare'] ?? [], part) / 1000,
        wanted,
      );
    print(`${name}/cpu`, `µs of both processors per message`, median(costs[name] ?? []), median(costs['bare'] ?? []));
    print(`${name}/ask`, 'µs', Math.round(median(trips[name] ?? [])), Math.round(median(trips['bare'] ?? [])));
  }
  socket.terminate();
  receiver.disconnect();
  actors.close();
  await links.close();
  await system.stop();
};

await (process.argv[2] === 'receiver' ? receive() : send());
