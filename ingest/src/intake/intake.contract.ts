/**
 * The other side of the conversation, for the tests of this room: a node in this process with real sockets, and agents that speak the
 * real wire code, well or badly. The store is a script (what it does with a batch is what a test is about) or a real one.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { askService, startService } from '@thrum/actors/link/named-service';
import { joinMesh } from '@thrum/actors/mesh/join-mesh';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import { encodeBatch, type Sample } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryOf, type Dictionary } from '@thrum/actors/wire/dictionary';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Ack, Busy, Pace } from '@thrum/actors/wire/ingest-to-agent';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Target } from '@thrum/actors/wire/schema';
import { protocolVersion } from '@thrum/actors/wire/version';
import { startLive } from '../live/live.ts';
import type {
  EventsRequest,
  Refused,
  Store,
  StoreHealth,
  StoreRoom,
  WriteOutcome,
  WriteRequest,
  WriteResult,
} from '../store/store.ts';
import type { AdmissionLimits } from './admission.ts';
import type { EventAllowanceLimits } from './event-allowance.ts';
import { Dictionaries } from './dictionaries.ts';
import { startIntake, type Intake } from './intake.ts';

export const token = 'the token of this installation';
export const dictionary = dictionaryOf(catalogue);
export const day = 86_400_000;

export type ScriptedStore = Store & {
  /** What was asked to be written, in order; only what is `ok` is here. */
  readonly writes: WriteRequest[];
  readonly events: EventsRequest[];
  /** What it says of its room. */
  holds: StoreRoom;
  /** Changes what it says of itself. */
  becomes(state: StoreHealth['state']): void;
  does: 'stores' | 'is full' | 'never ends' | 'throws' | 'refuses' | 'closes';
  /** Ends the writes that never ended. */
  finish(): void;
};

export const scriptedStore = (): ScriptedStore => {
  const waiting: (() => void)[] = [];
  const away = () => Promise.resolve(refuse('store-away'));
  const listeners = new Set<(health: StoreHealth) => void>();
  let health: StoreHealth = { state: 'ready', sinceMs: 0, detail: '' };
  const outcome = (taken: () => void): WriteOutcome => {
    if (store.does === 'throws') throw new Error('scripted: the store fell over');
    if (store.does === 'is full') return { ok: false, reason: 'full', afterMs: 1234 };
    taken();
    const refused: Refused[] = store.does === 'refuses' ? [{ code: 'not-stored', samples: 1, detail: 'scripted' }] : [];
    const result: WriteResult = store.does === 'closes' ? { ok: false, reason: 'closed' } : { ok: true, refused };
    if (store.does !== 'never ends') return { ok: true, done: Promise.resolve(result) };
    return { ok: true, done: new Promise((resolve) => waiting.push(() => resolve(result))) };
  };
  const store: ScriptedStore = {
    kind: 'duckdb',
    writes: [],
    events: [],
    holds: { heldBytes: 0, maxHeldBytes: 64 * 1024 * 1024, isFailing: false },
    does: 'stores',
    finish: () => waiting.splice(0).forEach((end) => end()),
    write: (request) => outcome(() => store.writes.push(request)),
    writeEvents: (request) => outcome(() => store.events.push(request)),
    room: () => store.holds,
    ask: away,
    askEvents: away,
    documents: { get: away, put: away, delete: away, list: away },
    becomes: (state) => {
      health = { state, sinceMs: 0, detail: '' };
      for (const listener of listeners) listener(health);
    },
    health: () => health,
    onHealth: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    counters: () => ({}),
    close: () => Promise.resolve(),
  };
  return store;
};

export type NodeOptions = {
  readonly store?: Store;
  readonly admission?: AdmissionLimits;
  readonly eventAllowance?: EventAllowanceLimits;
  readonly helloWithinMs?: number;
  readonly isTimeSure?: () => boolean;
  readonly meshSeeds?: readonly string[];
  readonly meshKey?: string;
  readonly name?: string;
  readonly catalogue?: readonly Target[];
  readonly log?: Log;
};

/** An ingest node without its program: everything but the process. */
export const startNode = async (options: NodeOptions = {}) => {
  const system = createActorSystem({ name: 'ingest', clock: systemClock, log: options.log ?? silentLog });
  const name = options.name ?? `node-${randomUUID().slice(0, 8)}`;
  const mesh = await joinMesh({
    self: { id: name, name, role: 'ingest' },
    key: options.meshKey ?? 'the key of this mesh',
    bind: '127.0.0.1',
    port: 0,
    seeds: options.meshSeeds ?? [],
    system,
  });
  const { links, actors, membership, topics, presence } = mesh;
  const dictionaries = new Dictionaries(options.catalogue ?? catalogue);
  const door: { intake?: Intake } = {};
  const live = startLive({
    clock: systemClock,
    log: silentLog,
    links,
    topics,
    presence,
    serve: (service, answer) => startService({ actors, system }, service, answer),
    askRecent: (hostId, sinceMs, deadlineMs) => {
      assert.ok(door.intake);
      return door.intake.askRecent(hostId, sinceMs, deadlineMs);
    },
    findDictionary: (hash) => dictionaries.find(hash),
    isKnownTarget: (target) => dictionaries.isKnownTarget(target),
    newTableId: () => Math.floor(Math.random() * 2 ** 32),
  });
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const intake = startIntake({
    server,
    system,
    live,
    store: options.store ?? scriptedStore(),
    dictionaries,
    token,
    nodeName: name,
    retentionMs: 5 * day,
    ...(options.admission && { admission: options.admission }),
    ...(options.eventAllowance && { eventAllowance: options.eventAllowance }),
    ...(options.isTimeSure && { isTimeSure: options.isTimeSure }),
    ...(options.helloWithinMs !== undefined && { helloWithinMs: options.helloWithinMs }),
  });
  door.intake = intake;
  const agents: TestAgent[] = [];
  const url = `http://127.0.0.1:${port}`;
  return {
    /** As a web node would. */
    ask: (service: string, question: unknown) => askService(actors, name, service, question, { deadlineMs: 1000 }),
    name,
    url,
    port,
    system,
    links,
    topics,
    presence,
    live,
    intake,
    dictionaries,
    agent: (hello: Partial<Hello> = {}): TestAgent => {
      const agent = new TestAgent(url, hello);
      agents.push(agent);
      return agent;
    },
    close: async () => {
      for (const agent of agents) agent.socket.disconnect();
      await intake.close();
      live.close();
      await membership.leave();
      await mesh.close();
      await system.stop();
      server.closeAllConnections();
    },
  };
};
export type TestNode = Awaited<ReturnType<typeof startNode>>;

/** A sample of a target of the catalogue; metrics that are not named have no value. */
export const sampleOf = (
  name: string,
  values: Readonly<Record<string, number>>,
  options: { readonly fields?: readonly string[]; readonly timeMs?: number; readonly in?: Dictionary } = {},
): Sample => {
  const { targets } = options.in ?? dictionary;
  const target = targets.findIndex((one) => one.name === name);
  const metrics = targets[target]?.metrics ?? [];
  return {
    target,
    fields: options.fields ?? [],
    timeMs: options.timeMs ?? Date.now(),
    values: metrics.map((metric) => values[metric.name]),
  };
};

export class TestAgent {
  readonly socket: Socket;
  readonly hello: Hello;
  readonly acks: Ack[] = [];
  readonly busy: Busy[] = [];
  readonly paces: Pace[] = [];
  readonly refused: Refusal[] = [];
  closed = false;
  seq = 0;

  constructor(url: string, hello: Partial<Hello>) {
    this.hello = {
      protocol: protocolVersion,
      token,
      host: randomUUID(),
      boot: randomUUID(),
      epoch: 1,
      attempt: 1,
      agentVersion: 'test',
      clockMs: Date.now(),
      periodMs: 1000,
      dictionary: dictionary.hash,
      cluster: 'default',
      labels: {},
      machine: {
        name: 'test-host',
        os: '',
        kernel: '',
        arch: '',
        model: '',
        cpu: '',
        cores: 1,
        memoryBytes: 1,
        virtual: '',
      },
      ...hello,
    };
    this.socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true });
    this.socket.on('ack', (ack: Ack) => this.acks.push(ack));
    this.socket.on('busy', (busy: Busy) => this.busy.push(busy));
    this.socket.on('pace', (pace: Pace) => this.paces.push(pace));
    this.socket.on('refused', (refusal: Refusal) => this.refused.push(refusal));
    this.socket.on('disconnect', () => (this.closed = true));
    this.socket.on('connect_error', () => (this.closed = true));
  }

  ask(event: string, ...args: unknown[]): Promise<unknown> {
    return this.socket.timeout(5_000).emitWithAck(event, ...args) as Promise<unknown>;
  }

  /** Says hello and declares the dictionary if that is asked for. */
  async greet(): Promise<unknown> {
    const answer = await this.ask('hello', this.hello);
    if (typeof answer === 'object' && answer !== null && 'needDictionary' in answer && answer.needDictionary === true)
      assert.deepEqual(await this.ask('dictionary', dictionary), { ok: true });
    return answer;
  }

  /** Sends a batch; returns its sequence number. */
  send(samples: readonly Sample[], options: { readonly resend?: boolean; readonly seq?: number } = {}): number {
    const seq = options.seq ?? (this.seq += 1);
    this.sendBytes(encodeBatch(dictionary, this.hello.epoch, seq, samples).bytes, options.resend);
    return seq;
  }

  /** Sends events; returns their sequence number. */
  tell(events: readonly AgentEvent[], seq = (this.seq += 1)): number {
    this.socket.emit('events', Buffer.from(JSON.stringify({ epoch: this.hello.epoch, seq, events })));
    return seq;
  }

  sendBytes(bytes: Uint8Array, resend = false): void {
    this.socket.emit('batch', Buffer.from(bytes), resend);
  }

  acknowledged(seq: number): boolean {
    return this.acks.some((ack) => ack.ranges.some(([first, last]) => first <= seq && seq <= last));
  }

  /** A batch goes the whole way: what shows that this session is well. */
  async works(): Promise<void> {
    const seq = this.send([sampleOf('load', { load1: 1 })]);
    await eventually(() => assert.ok(this.acknowledged(seq), `batch ${seq} is acknowledged`));
  }

  async isRefused(code: string): Promise<Refusal> {
    await eventually(() => assert.ok(this.closed, 'the connection is closed'));
    const refusal = this.refused[0];
    assert.equal(refusal?.code, code);
    return refusal;
  }
}
