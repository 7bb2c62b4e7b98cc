/**
 * What presence costs at 5,000 agents on ten nodes: memory per agent and container on each node, traffic at rest, and how long a node that joins
 * takes to know all. One JSON line per figure; `peer` is the same content as plain JSON texts in a Map, or the bound promised.
 * Run by hand: node --expose-gc actors/src/presence/presence.bench.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLinks } from '../link/links.ts';
import type { Links } from '../link/links.ts';
import { startMembership } from '../membership/membership.ts';
import type { Membership } from '../membership/membership.ts';
import { createActorSystem } from '../system/actor-system.ts';
import { systemClock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { testEntry, testHostId } from '../testing/roster-entries.ts';
import { PresenceDocument } from './document.ts';
import { OwnDocument } from './own-document.ts';
import { startPresence } from './presence.ts';
import type { Presence } from './presence.ts';
import { Replicas } from './replicas.ts';
import { readLine, writeContainer, writeFacts, writeStatus } from './lines.ts';
import { rules } from './rules.ts';
import { View } from './view.ts';

const nodes = 10;
const agents = 5000;
const containersPerAgent = 20;

const round = (value: number): number => Math.round(value * 100) / 100;
const print = (name: string, unit: string, value: number, peer: number): void =>
  void process.stdout.write(
    `${JSON.stringify({ name, value: round(value), unit, peer: round(peer), ratio: round(value / peer) })}\n`,
  );
const heapBytes = (): number => {
  for (let at = 0; at < 3; at += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
if (!globalThis.gc) process.stderr.write('without --expose-gc the figures of memory are guesses\n');

const statusOf = (at: number, changes = 0): string =>
  writeStatus({ ...testEntry(at, { sinceMs: 1_767_225_600_000 + at + changes }), adoptedFrom: undefined });
const containerOf = (at: number, which: number): string =>
  writeContainer(testHostId(at), {
    id: (at * 1000 + which + 2 ** 44).toString(16).padStart(12, '0'),
    ...{ name: `service-${which}-replica`, state: 'running', health: 'healthy', sinceMs: 1_767_225_600_000 + at },
  });

/** Microseconds that one more text takes, in the document of its writer and in that of a reader, when there are so many already. */
const appendUs = (length: number): number => {
  const name = { node: 'n0', incarnation: 1, generation: 0 };
  const [writer, reader] = [new PresenceDocument(name), new PresenceDocument(name)];
  // In small pieces, as it becomes so long in reality.
  const append = (at: number): void => {
    const update = writer.append([statusOf(at % agents, at)]);
    if (!reader.inspect(update).ok) throw new Error('BUG: not taken');
    reader.apply(update);
  };
  for (let at = 0; at < length; at += 1) append(at);
  const times = 1000;
  const startMs = performance.now();
  for (let at = 0; at < times; at += 1) append(length + at);
  return ((performance.now() - startMs) * 1000) / times;
};

/** What all nodes but this one say, as it arrives from the wire. */
const updatesOf = (textsOf: (at: number) => string[]) =>
  Array.from({ length: nodes }, (_, node) => {
    const document = new PresenceDocument({ node: `n${node}`, incarnation: 1, generation: 0 });
    const texts: string[] = [];
    for (let at = node; at < agents; at += nodes) texts.push(...textsOf(at));
    return { name: document.name, update: document.append(texts) };
  });

/** Bytes of heap for holding documents and merged view of all nodes, and how long taking them in took. */
const hold = (textsOf: (at: number) => string[]): { bytes: number; ms: number; plainBytes: number } => {
  const updates = updatesOf(textsOf);
  const beforeBytes = heapBytes();
  const startMs = performance.now();
  const view = new View(rules, () => undefined);
  const replicas = new Replicas({ rules, view, accepts: () => true });
  for (const { name, update } of updates) replicas.receive(name, update, false);
  view.takeChanges();
  const ms = performance.now() - startMs;
  view.releaseEntries();
  const bytes = heapBytes() - beforeBytes;
  const plainBeforeBytes = heapBytes();
  const plain = new Map<string, string[]>();
  for (let at = 0; at < agents; at += 1)
    plain.set(
      testHostId(at),
      textsOf(at).map((text) => JSON.stringify(JSON.parse(text))),
    );
  const plainBytes = heapBytes() - plainBeforeBytes;
  // All are still there, so that the end of one is not counted as memory won.
  if (plain.size + view.hosts + replicas.living().length !== 2 * agents + updates.length)
    throw new Error('BUG: not all held');
  return { bytes, ms, plainBytes };
};

const agentTexts = (at: number): string[] => [writeFacts(testHostId(at), testEntry(at)), statusOf(at)];
hold(agentTexts);
const lean = hold(agentTexts);
print('presence_heap_per_agent', 'bytes', lean.bytes / agents, lean.plainBytes / agents);
const full = hold((at) => [
  ...agentTexts(at),
  ...Array.from({ length: containersPerAgent }, (_, which) => containerOf(at, which)),
]);
const containers = agents * containersPerAgent;
print(
  'presence_heap_per_container',
  'bytes',
  (full.bytes - lean.bytes) / containers,
  (full.plainBytes - lean.plainBytes) / containers,
);

// Just before documents are written anew: as much superseded as live.
const worn = hold((at) => {
  const live = agentTexts(at);
  const liveBytes = live.join('').length;
  return [
    ...live,
    ...Array.from({ length: Math.floor(liveBytes / statusOf(at).length) }, (_, times) => statusOf(at, times + 1)),
  ];
});
print('presence_heap_per_agent_before_rotation', 'bytes', worn.bytes / agents, 1024);
print('presence_take_in_5000_agents', 'ms', lean.ms, 500);
print('presence_take_in_5000_agents_100000_containers', 'ms', full.ms, 500);

appendUs(1000);
const shortUs = appendUs(0);
for (const length of [5000, 20_000]) print(`presence_append_after_${length}_texts`, 'µs', appendUs(length), shortUs);

// A change of one agent as it goes over the wire.
const own = new OwnDocument({ node: 'n0', incarnation: 1, generation: 0 }, { rules, liveTexts: () => [] });
own.say('a', statusOf(1));
own.flush();
own.say('a', statusOf(1, 1));
print('presence_update_of_one_agent', 'bytes', own.flush()?.update.bytes.byteLength ?? NaN, statusOf(1).length);
if (readLine(statusOf(1))?.kind !== 'status') throw new Error('BUG: not a status');

// Ten nodes over real sockets.
type Node = { links: Links; membership: Membership; presence: Presence; close(): Promise<void> };
const start = async (id: string, seeds: readonly string[]): Promise<Node> => {
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const self = { id, name: id, role: 'ingest' } as const;
  const links = await startLinks({ self, key: 'a key for this bench only', bind: '127.0.0.1', port: 0, seeds, system });
  const membership = startMembership({ links, system });
  const presence = startPresence({ links, membership, system });
  const close = async (): Promise<void> => {
    presence.close();
    membership.close();
    await links.close();
    await system.stop();
  };
  return { links, membership, presence, close };
};
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(2);
};
const mesh: Node[] = [];
for (let at = 0; at < nodes; at += 1)
  mesh.push(
    await start(
      `n${at}`,
      mesh.slice(0, 1).map(({ links }) => links.self.address),
    ),
  );
await until(() => mesh.every(({ membership }) => membership.members().length === nodes - 1));
for (let at = 0; at < agents; at += 1) mesh[at % nodes]?.presence.put(testEntry(at, { node: `n${at % nodes}` }));
const isComplete = ({ presence }: Node): boolean => presence.counters()['hosts'] === agents;
await until(() => mesh.every(isComplete));
const changedMs = performance.now();
mesh[0]?.presence.put(testEntry(0, { node: 'n0', connection: 'silent' }));
await until(() => mesh.every(({ presence }) => presence.agent(testHostId(0))?.connection === 'silent'));
print('presence_change_known_on_ten_nodes', 'ms', performance.now() - changedMs, 2000);

const seeds = mesh.slice(0, 1).map(({ links }) => links.self.address);
const joined = await start('n10', seeds);
await until(() => joined.links.peers().length > 0);
const linkedMs = performance.now();
await until(() => isComplete(joined));
print('presence_join_5000_agents', 'ms', performance.now() - linkedMs, 500);
await joined.close();
await until(() => mesh.every(({ membership }) => membership.members().length === nodes - 1));

// At rest: what presence adds to what the links say anyhow.
await sleep(1000);
const countedOf = (name: string): number =>
  mesh.reduce((sum, { presence }) => sum + (presence.counters()[name] ?? 0), 0);
const names = ['digestsOut', 'listsOut', 'updatesOut', 'wanted'] as const;
const linkBytes = (): number => mesh.reduce((sum, { links }) => sum + (links.counters()['bytesOut'] ?? 0), 0);
const seconds = 10;
const restStart = { counts: names.map(countedOf), bytes: linkBytes() };
await sleep(seconds * 1000);
const allBytes = linkBytes() - restStart.bytes;
const [digests = 0, ...others] = names.map((name, at) => countedOf(name) - (restStart.counts[at] ?? 0));
/** A digest as the link frames it, with the headers of frame, TCP and IP. */
const digestBytes = 36 + 6 + 52;
print('presence_bytes_at_rest_per_node', 'bytes/s', (digests * digestBytes) / seconds / nodes, 1024);
print(
  'presence_other_messages_at_rest',
  'messages',
  others.reduce((sum, one) => sum + one, 0),
  1,
);
print('all_link_bytes_at_rest_per_node', 'bytes/s', allBytes / seconds / nodes, 1024);
await Promise.all(mesh.map((node) => node.close()));
