/** What the tests of the gateway play: ingest nodes that do what the test says, web nodes on real links and topics, and tabs. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { startService } from '@thrum/actors/link/named-service';
import { startSessions } from '@thrum/actors/sessions/sessions';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import { systemClock, type Clock } from '@thrum/actors/system/clock';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { testEntry, testHostId as hostId } from '@thrum/actors/testing/roster-entries';
import { joinMesh } from '@thrum/actors/mesh/join-mesh';
import {
  decodeHostFrame,
  encodeHostFrame,
  encodeOverviewFrame,
  encodeSnapshot,
  frameKind,
  frameKinds,
  overviewColumns,
} from '@thrum/actors/wire/frame';
import type { Refusal } from '@thrum/actors/wire/refusal';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { encodeStoreState, storeKey, storeTopic, type StoreState } from '@thrum/actors/wire/store-state';
import type { Greeting, IngestNode } from '@thrum/actors/wire/web-to-browser';
import { allowedNames } from './hosts.ts';
import { createAccess } from './sign-in/tab-guard.ts';
import { startWebNode } from './web-node.ts';

const key = 'key of a scripted mesh';

export { hostId };

export const entryOf = (node: string, n: number, attempt: number): RosterEntry => testEntry(n, { node, attempt });

export const frameOf = (n: number, seq: number, table = 1, width = 1): Uint8Array =>
  encodeHostFrame({
    hostId: hostId(n),
    table,
    seq,
    sampleMs: seq * 1000,
    ageMs: 1,
    values: new Float32Array(width).fill(seq),
  });

export const overviewOf = (n: number, sampleMs: number): Uint8Array =>
  encodeOverviewFrame([{ hostId: hostId(n), sampleMs, ageMs: 1, values: new Float32Array(overviewColumns.length) }]);

export const snapshotOf = (n: number, seq: number, table = 1, width = 1): Uint8Array => {
  const metrics = Array.from({ length: width }, (_, i) => `m${i}`);
  const series = [{ target: 'load', fields: [], metrics }];
  const columns = metrics.map(() => Float32Array.of(seq));
  return encodeSnapshot({
    hostId: hostId(n),
    table: { id: table, series },
    seq,
    timesMs: Float64Array.of(seq * 1000),
    columns,
  });
};

const startMesh = async (t: TestContext, id: string, role: 'ingest' | 'web', seeds: readonly string[]) => {
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const mesh = await joinMesh({ self: { id, name: id, role }, key, bind: '127.0.0.1', port: 0, seeds, system });
  const { links, actors, topics, presence } = mesh;
  /** At once, as if it was killed. */
  const stop = async (): Promise<void> => {
    await mesh.close();
    await system.stop();
  };
  t.after(stop);
  return { system, links, actors, topics, presence, stop, address: links.self.address };
};

/** An ingest node with the answers of the test. `asked` counts what it was asked. */
export const startIngest = async (t: TestContext, id = 'ingest-a', seeds: readonly string[] = []) => {
  const mesh = await startMesh(t, id, 'ingest', seeds);
  const asked = { snapshot: 0, history: 0, overview: 0 };
  const interest = new Map<string, boolean>();
  const answers = {
    snapshot: (_: unknown): unknown => ({ ok: true, gzip: false, bytes: snapshotOf(1, 1) }),
    history: (question: unknown): unknown => ({
      ok: true,
      question,
      startMs: 0,
      bucketMs: 1000,
      series: [{ fields: [], values: [[1, null]] }],
      leftOut: 0,
    }),
    overview: (_: unknown): unknown => ({ frames: [] }),
  };
  for (const endpoint of ['snapshot', 'history', 'overview'] as const)
    startService(mesh, endpoint, (message) => {
      asked[endpoint] += 1;
      return answers[endpoint](message);
    });
  mesh.topics.onInterest('host/', (topic, interested) => interest.set(topic, interested));
  return {
    ...mesh,
    id,
    asked,
    answers,
    interest,
    roster: (entry: RosterEntry) => mesh.presence.put(entry),
    overview: (bytes: Uint8Array) => mesh.topics.publish('overview', bytes),
    store: (state: StoreState) => mesh.topics.publish(storeTopic, encodeStoreState(state), { key: storeKey }),
    frame: (n: number, bytes: Uint8Array) => mesh.topics.publish(`host/${hostId(n)}`, bytes),
  };
};

/** Cookies of somebody who is signed in, by the address of the web node: each tab comes with the one of its node. */
const cookies = new Map<string, string>();

export const cookieOf = (url: string): string => cookies.get(url) ?? '';

export type WebOptions = { id?: string; clock?: Clock; log?: Log };

/** A web node on a free port, linked to the mesh of `seed`. Its own clock may be a fake one; its links' is real. */
export const startWeb = async (t: TestContext, seed: { address: string }, options: WebOptions = {}) => {
  const id = options.id ?? 'web-a';
  const mesh = await startMesh(t, id, 'web', [seed.address]);
  const system = createActorSystem({ name: id, clock: options.clock ?? systemClock, log: options.log ?? silentLog });
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { links, actors, topics, presence } = mesh;
  const names = allowedNames(['https://thrum.example.org']);
  const sessions = await startSessions({ links, system: mesh.system, directory: undefined });
  const access = createAccess(sessions, names.origins);
  const web = startWebNode({
    http,
    links,
    actors,
    topics,
    presence,
    system,
    names,
    access,
    version: 'test',
    sharesServer: false,
  });
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await web.close();
    http.closeAllConnections();
    http.close();
    await sessions.close();
    await system.stop();
  };
  t.after(() => (stopped ??= stop()));
  await eventually(() => links.peers().some((peer) => peer.role === 'ingest'));
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const { sid, session } = await sessions.open({ user: 'ada', generation: 1 });
  cookies.set(url, `thrum=${sid}; __Host-thrum=${sid}`);
  return {
    ...web,
    sessions,
    session,
    http,
    system,
    port,
    url,
    stop: async () => {
      await (stopped ??= stop());
      await mesh.stop();
    },
  };
};

export type TabOptions = { headers?: Record<string, string>; reconnects?: boolean };

/** A browser's tab, without the page. `got` is what it was sent, in order, in short. */
export const openTab = (t: TestContext, url: string, options: TabOptions = {}) => {
  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: options.reconnects ?? false,
    reconnectionDelay: 20,
    extraHeaders: { cookie: cookieOf(url), ...options.headers },
  });
  t.after(() => void socket.close());
  const got: string[] = [];
  const greetings: Greeting[] = [];
  const states = new Map<string, string>();
  const tab = { socket, got, greetings, states, ingest: [] as readonly IngestNode[], refusals: [] as Refusal[] };
  const note = (entries: readonly RosterEntry[]): void => {
    for (const entry of entries) states.set(entry.hostId, `${entry.connection} ${entry.node}`);
  };
  socket.on('greeting', (greeting: Greeting) => {
    greetings.push(greeting);
    tab.ingest = greeting.ingest;
    note(greeting.roster);
  });
  socket.on('roster', (change: { entries: RosterEntry[]; gone: string[] }) => {
    note(change.entries);
    for (const host of change.gone) states.delete(host);
  });
  socket.on('ingest', (nodes: IngestNode[]) => (tab.ingest = nodes));
  socket.on('refused', (refusal: Refusal) => tab.refusals.push(refusal));
  socket.on('beat', () => got.push('beat'));
  socket.on('snapshot', () => got.push('snapshot'));
  socket.on('snapshotRefused', (refusal: Refusal) => got.push(refusal.code));
  socket.on('frame', (bytes: Uint8Array) => {
    if (frameKind(bytes) === frameKinds.overview) got.push('overview');
    else got.push(`frame ${decodeHostFrame(bytes)?.seq}`);
  });
  return {
    ...tab,
    tab,
    greeted: async (): Promise<Greeting> => {
      await eventually(() => greetings.length > 0);
      const [first] = greetings;
      if (!first) throw new Error('BUG: no greeting');
      return first;
    },
    watch: (host: string | null): Promise<unknown> => socket.emitWithAck('watch', { host }) as Promise<unknown>,
  };
};
