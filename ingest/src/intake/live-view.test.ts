/** From the agent's socket to the topics: frames, overview, roster and snapshots, over real sockets and links. */
import assert from 'node:assert/strict';
import { promisify } from 'node:util';
import { gunzipSync, zstdCompress } from 'node:zlib';
import { after, test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { encodeBatch } from '@thrum/actors/wire/batch';
import {
  decodeHostFrame,
  decodeOverviewFrame,
  decodeSnapshot,
  tableWidth,
  type HostFrame,
  type Snapshot,
} from '@thrum/actors/wire/frame';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import type { SnapshotReply } from '../live/snapshots.ts';
import { admissionDefaults } from './admission.ts';
import {
  dictionary,
  sampleOf,
  scriptedStore,
  startNode,
  type NodeOptions,
  type TestAgent,
  type TestNode,
} from './intake.contract.ts';

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

const compress = promisify(zstdCompress);
const second = 1000;
const tick = (timeMs: number, bytes: number) => [
  sampleOf('load', { load1: 0.5 }, { timeMs }),
  sampleOf('network', { received_bytes: bytes, sent_bytes: 0 }, { timeMs, fields: ['eth0'] }),
];
const watch = (node: TestNode, hostId: string): HostFrame[] => {
  const frames: HostFrame[] = [];
  node.topics.subscribe(`host/${hostId}`, {
    deliver: ({ payload }) => {
      const frame = decodeHostFrame(payload);
      assert.ok(frame);
      frames.push(frame);
    },
  });
  return frames;
};
/** What a node knows of hosts, as it becomes known. */
const rosterOf = (node: TestNode): Map<string, RosterEntry> => {
  const known = new Map<string, RosterEntry>();
  node.presence.onChange(({ entries, gone }) => {
    for (const entry of entries) known.set(entry.hostId, entry);
    for (const hostId of gone) known.delete(hostId);
  });
  return known;
};
const snapshotOf = (reply: SnapshotReply): Snapshot => {
  assert.ok(reply.ok, JSON.stringify(reply));
  const snapshot = decodeSnapshot(reply.gzip ? new Uint8Array(gunzipSync(reply.bytes)) : reply.bytes);
  assert.ok(snapshot);
  return snapshot;
};
const columnOf = (snapshot: Snapshot, target: string, metric: string): number[] => {
  let slot = 0;
  for (const series of snapshot.table.series) {
    const at = series.metrics.indexOf(metric);
    if (series.target === target && at >= 0) return [...(snapshot.columns[slot + at] ?? [])];
    slot += series.metrics.length;
  }
  assert.fail(`no ${target}.${metric}`);
};
/** Answers `recent` with these batches, half of them as they are and half compressed. */
const remembers = (agent: TestAgent, batches: readonly Uint8Array[], asked: unknown[] = []): void => {
  const join = (some: readonly Uint8Array[]): Buffer =>
    Buffer.concat(
      some.flatMap((bytes) => {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      }),
    );
  agent.socket.on('recent', (request: unknown, reply: (answer: unknown) => void) => {
    asked.push(request);
    const half = batches.length >> 1;
    void compress(join(batches.slice(0, half))).then((packed) =>
      reply({
        dictionary: dictionary.hash,
        groups: [
          { encoding: 'zstd', bytes: packed },
          ...batches.slice(half).map((bytes) => ({ encoding: 'plain', bytes: join([bytes]) })),
        ],
      }),
    );
  });
};

test('who watches a host gets its frames as they come, with rates for counters and the age of the sample', async () => {
  const { node } = await start();
  const agent = node.agent({ clockMs: Date.now() - 3_600_000 });
  await agent.greet();
  const frames = watch(node, agent.hello.host);
  const takenMs = Date.now() - 3_600_000;
  agent.send(tick(takenMs - 1000, 100));
  agent.send(tick(takenMs, 350));
  await eventually(() => assert.equal(frames.length, 2));
  const [first, last] = frames;
  assert.ok(first && last);
  assert.equal(last.seq, first.seq + 1);
  assert.equal(last.table, first.table);
  assert.ok([...last.values].includes(250), 'bytes per second');
  // An agent whose clock is an hour behind is not an hour late.
  assert.ok(Math.abs(last.sampleMs - Date.now()) < 2_000);
  assert.ok(last.ageMs < 2_000);
});

test('frames are sent only while somebody watches, and counted all the time', async () => {
  const { node } = await start();
  const agent = node.agent();
  await agent.greet();
  await agent.works();
  assert.equal(node.live.counters()['hostFrames'], 0);
  const frames = watch(node, agent.hello.host);
  await agent.works();
  await eventually(() => assert.equal(frames.length, 1));
  assert.equal(frames[0]?.seq, 2);
});

test('the overview shows new samples within a quarter of a second, and hosts without new ones not at all', async () => {
  const { node } = await start();
  const rows: { hostId: string; values: Float32Array }[] = [];
  node.topics.subscribe('overview', { deliver: ({ payload }) => rows.push(...(decodeOverviewFrame(payload) ?? [])) });
  const [first, silent] = [node.agent(), node.agent()];
  await Promise.all([first.greet(), silent.greet()]);
  const now = Date.now();
  first.send(tick(now - 1000, 0));
  first.send(tick(now, 500));
  await eventually(() => assert.ok(rows.some((row) => row.values[2] === 0.5 && row.values[3] === 500)));
  assert.ok(rows.every((row) => row.hostId === first.hello.host));
  const answer = await node.ask('overview', {});
  assert.ok(answer.ok);
  const { frames } = answer.value as { frames: Uint8Array[] };
  assert.equal(decodeOverviewFrame(frames.at(-1) ?? new Uint8Array())?.[0]?.hostId, first.hello.host);
});

test('while all hosts are silent an empty overview frame a second says that the way is open', async () => {
  const { node } = await start();
  let empty = 0;
  node.topics.subscribe('overview', {
    deliver: ({ payload }) => {
      if (decodeOverviewFrame(payload)?.length === 0) empty += 1;
    },
  });
  await eventually(() => assert.ok(empty >= 2));
});

test('live values go on while the store takes nothing', async () => {
  const { node, store } = await start();
  const agent = node.agent();
  await agent.greet();
  const frames = watch(node, agent.hello.host);
  for (const does of ['is full', 'never ends'] as const) {
    store.does = does;
    const before = frames.length;
    agent.send(tick(Date.now() + frames.length, 1));
    await eventually(() => assert.equal(frames.length, before + 1));
  }
});

test('a snapshot holds the last minutes of the agent and what came since, and the frames that follow go on from it', async () => {
  const { node } = await start();
  const agent = node.agent();
  await agent.greet();
  const now = Date.now();
  const past = Array.from({ length: 60 }, (_, i) => {
    const timeMs = now - (60 - i) * second;
    return encodeBatch(dictionary, 1, i, tick(timeMs, i * 10)).bytes;
  });
  const asked: unknown[] = [];
  remembers(agent, past, asked);
  const frames = watch(node, agent.hello.host);
  agent.send(tick(now, 600), { seq: 100 });
  await eventually(() => assert.equal(frames.length, 1));
  const [one, two] = await Promise.all([node.live.snapshot(agent.hello.host), node.live.snapshot(agent.hello.host)]);
  const snapshot = snapshotOf(one);
  assert.deepEqual(snapshotOf(two).timesMs, snapshot.timesMs);
  assert.equal(asked.length, 1, 'the agent is asked once');
  assert.equal(snapshot.columns.length, tableWidth(snapshot.table));
  assert.equal(snapshot.table.id, frames[0]?.table);
  assert.equal(snapshot.seq, frames[0]?.seq);
  const rates = columnOf(snapshot, 'network', 'received_bytes');
  assert.deepEqual(rates.slice(0, 3), [Number.NaN, 10, 10]);
  assert.equal(rates.length, 60, 'the tick sent live is asked of the agent, which did not have it');

  agent.send(tick(now + second, 650), { seq: 101 });
  agent.send(tick(now + 2 * second, 700), { seq: 102 });
  await eventually(() => assert.equal(frames.length, 3));
  const later = snapshotOf(await node.live.snapshot(agent.hello.host));
  assert.equal(asked.length, 1, 'and not again within a few seconds');
  assert.equal(later.timesMs.length, 62);
  assert.equal(later.seq, frames[2]?.seq);
  assert.deepEqual(columnOf(later, 'network', 'received_bytes').slice(-2), [50, 50]);
  assert.ok([...later.timesMs].every((timeMs, i, all) => i === 0 || timeMs > (all[i - 1] ?? 0)));
});

test('ticks that arrive while the agent is being asked are neither lost nor shown twice', async () => {
  const { node } = await start();
  const agent = node.agent();
  await agent.greet();
  const now = Date.now();
  const old = encodeBatch(dictionary, 1, 1, tick(now - second, 0)).bytes;
  let answer: (() => void) | undefined;
  agent.socket.on('recent', (_request: unknown, reply: (answer: unknown) => void) => {
    const bytes = Buffer.concat([Buffer.from(Uint32Array.of(old.length).buffer), old]);
    answer = () => reply({ dictionary: dictionary.hash, groups: [{ encoding: 'plain', bytes }] });
  });
  const frames = watch(node, agent.hello.host);
  agent.send(tick(now - second, 0), { seq: 1 });
  await eventually(() => assert.equal(frames.length, 1));
  const asking = node.live.snapshot(agent.hello.host);
  await eventually(() => assert.ok(answer));
  agent.send(tick(now, 70), { seq: 2 });
  await eventually(() => assert.equal(frames.length, 2));
  answer?.();
  const snapshot = snapshotOf(await asking);
  assert.deepEqual(columnOf(snapshot, 'network', 'received_bytes'), [Number.NaN, 70]);
  assert.equal(snapshot.seq, frames[1]?.seq);
});

test(
  'when the agent answers nonsense or nothing the snapshot is what this node saw itself',
  { timeout: 30_000 },
  async () => {
    const { node } = await start();
    const answers: unknown[] = [
      'nonsense',
      { dictionary: dictionary.hash, groups: [{ encoding: 'zstd', bytes: Buffer.from('no zstd') }] },
      { dictionary: dictionary.hash, groups: [{ encoding: 'plain', bytes: Buffer.of(255, 255, 255, 255, 1) }] },
      { dictionary: '0000000000000000', groups: [] },
      undefined,
    ];
    const replies = await Promise.all(
      answers.map(async (nonsense) => {
        const agent = node.agent();
        await agent.greet();
        agent.socket.on('recent', (_request: unknown, reply: (answer: unknown) => void) => {
          if (nonsense !== undefined) reply(nonsense);
        });
        await agent.works();
        const reply = await node.live.snapshot(agent.hello.host);
        await agent.works();
        return reply;
      }),
    );
    for (const reply of replies) assert.deepEqual(columnOf(snapshotOf(reply), 'load', 'load1'), [1]);
  },
);

test('a compressed group that would grow beyond all bounds is not unpacked', async () => {
  const { node } = await start();
  const agent = node.agent();
  await agent.greet();
  const bomb = await compress(Buffer.alloc(200 * 1024 * 1024));
  agent.socket.on('recent', (_request: unknown, reply: (answer: unknown) => void) =>
    reply({ dictionary: dictionary.hash, groups: [{ encoding: 'zstd', bytes: bomb }] }),
  );
  const reply = await node.live.snapshot(agent.hello.host);
  assert.ok(!reply.ok && reply.code === 'malformed');
  await agent.works();
});

test('a host nobody knows is refused, one that went away is shown as it was last seen', async () => {
  const { node } = await start();
  const unknown = await node.ask('snapshot', { host: 'nobody' });
  assert.ok(unknown.ok);
  assert.equal((unknown.value as { code: string }).code, 'unknown-host');
  const agent = node.agent();
  await agent.greet();
  const before = await node.live.snapshot(agent.hello.host);
  await agent.works();
  agent.socket.disconnect();
  await eventually(() => assert.equal(node.intake.gauges()['sessions'], 0));
  assert.deepEqual(columnOf(snapshotOf(await node.live.snapshot(agent.hello.host)), 'load', 'load1'), [1]);
  assert.equal(before.ok, false, 'nothing was seen of it then, and it did not answer');
});

test('the roster says who a host is, and how far its clock is off', async () => {
  const { node } = await start();
  const entries = rosterOf(node);
  const agent = node.agent({ clockMs: Date.now() - 5_000, cluster: 'blue', labels: { rack: 'r1' } });
  await agent.greet();
  await eventually(() => assert.equal(entries.size, 1));
  const entry = [...entries.values()][0];
  assert.equal(entry?.hostId, agent.hello.host);
  assert.equal(entry.connection, 'connected');
  assert.equal(entry.cluster, 'blue');
  assert.equal(entry.node, node.name);
  assert.deepEqual(entry.machine, agent.hello.machine);
  assert.ok(entry.clockOffsetMs >= 5_000 && entry.clockOffsetMs < 15_000);
});

test('the roster says why a host that is up is not healthy, in one entry however often it happens', async () => {
  const { node, store } = await start();
  const entries = rosterOf(node);
  const agent = node.agent();
  await agent.greet();
  await agent.works();
  await eventually(() => assert.equal(entries.size, 1));
  const before = node.live.counters()['rosterChanges'] ?? 0;
  store.does = 'refuses';
  for (let n = 0; n < 5; n += 1) agent.send(tick(Date.now() + n, n));
  await eventually(() =>
    assert.deepEqual([...entries.values()][0]?.degraded, ['samples are refused: the store will never take them']),
  );
  agent.send(tick(Date.now() + 10, 10));
  await eventually(() => assert.equal(agent.acks.flatMap(({ refused }) => refused).length, 6));
  assert.equal(node.live.counters()['rosterChanges'], before + 1);
  assert.equal(node.live.counters()['hostsDegraded'], 1);
});

test('an agent that drops because its queue is full says so itself, and its host is degraded', async () => {
  const { node } = await start();
  const entries = rosterOf(node);
  const agent = node.agent();
  await agent.greet();
  const report = (timeMs: number, dropped: number) => [sampleOf('agent', { queue_dropped: dropped }, { timeMs })];
  const now = Date.now();
  agent.send(report(now - 2 * second, 7));
  agent.send(report(now - second, 7));
  await eventually(() => assert.ok(agent.acknowledged(2) && entries.size === 1));
  assert.deepEqual([...entries.values()][0]?.degraded, [], 'what it dropped before is over');
  agent.send(report(now, 8));
  await eventually(() =>
    assert.deepEqual([...entries.values()][0]?.degraded, ['samples are dropped: its queue is full']),
  );
});

test('an agent whose disk takes nothing says so itself, and its host is degraded', async () => {
  const { node } = await start();
  const entries = rosterOf(node);
  const agent = node.agent();
  await agent.greet();
  agent.send([sampleOf('agent', { queue_degraded: 1, samples_gap: 0 })]);
  await eventually(() =>
    assert.deepEqual([...entries.values()][0]?.degraded, [
      'its disk does not take samples: they are kept in memory only',
    ]),
  );
});

/** Two nodes that know one another. */
/** The agents here connect once: who is turned away does not come again. */
const admission = { ...admissionDefaults, burst: 200, maxWaitingPerAddress: 200 };

const startTwo = async (): Promise<readonly [TestNode, TestNode]> => {
  const { node: first } = await start({ admission });
  const { node: second } = await start({ admission, meshSeeds: [first.links.self.address] });
  await eventually(() => assert.equal(first.links.peers().length, 1));
  return [first, second];
};
const stateOf = (node: TestNode, { hello }: TestAgent): string => {
  const { connection, node: by, epoch, attempt } = node.presence.agent(hello.host) ?? assert.fail('unknown');
  return `${connection} ${by} ${epoch}.${attempt}`;
};

test('a host that moves to another node is that one’s to speak of, and the old one forgets it', async () => {
  const [first, second] = await startTwo();
  const agent = first.agent();
  await agent.greet();
  await eventually(() => assert.equal(stateOf(second, agent), `connected ${first.name} 1.1`));
  agent.socket.disconnect();
  const moved = second.agent({ host: agent.hello.host, boot: agent.hello.boot, attempt: 2 });
  await moved.greet();
  for (const node of [first, second])
    await eventually(() => assert.equal(stateOf(node, agent), `connected ${second.name} 1.2`));
  await eventually(() => assert.equal(first.live.counters()['hosts'], 0));
  await moved.works();
});

test('an agent of version 1, which does not count its connections, moves to another node, too', async () => {
  const [first, second] = await startTwo();
  const agent = first.agent({ protocol: 1, attempt: 0 });
  await agent.greet();
  await eventually(() => assert.equal(stateOf(second, agent), `connected ${first.name} 1.0`));
  agent.socket.disconnect();
  const moved = second.agent({ ...agent.hello });
  await moved.greet();
  for (const node of [first, second])
    await eventually(() => assert.equal(stateOf(node, agent), `connected ${second.name} 1.0`));
});

test('of two agents with one identity on two nodes the older is told to stop', { timeout: 30_000 }, async () => {
  const [first, second] = await startTwo();
  const agent = first.agent();
  await agent.greet();
  const clone = second.agent({ host: agent.hello.host, epoch: 2 });
  await clone.greet();
  const talk = setInterval(() => agent.send(tick(Date.now(), 1)), 200);
  await eventually(() => assert.equal(agent.refused[0]?.code, 'replaced'));
  clearInterval(talk);
  await clone.works();
});

test('an agent that counts from further back than it did is shown once what it was before is over', async () => {
  const [first, second] = await startTwo();
  const before = first.agent({ epoch: 9, attempt: 4 });
  await before.greet();
  const restored = second.agent({ host: before.hello.host, epoch: 3 });
  await eventually(() => assert.equal(stateOf(second, before), `connected ${first.name} 9.4`));
  await before.ask('bye');
  before.socket.disconnect();
  await restored.greet();
  for (const node of [first, second])
    await eventually(() => assert.equal(stateOf(node, before), `connected ${second.name} 9.5`));
  assert.equal(second.live.counters()['hostsOvertaken'], 1);
  await restored.works();
});

test('a hundred hosts that move to another node at once are written there once each, and twice where they were', async () => {
  const [first, second] = await startTwo();
  const puts = (node: TestNode): number => node.presence.counters()['puts'] ?? 0;
  const agents = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const agent = first.agent();
      await agent.greet();
      return agent;
    }),
  );
  await eventually(() => assert.equal(second.presence.agents().length, 100));
  await Promise.all(
    agents.map(async ({ socket, hello }) => {
      socket.disconnect();
      const moved = second.agent({ host: hello.host, boot: hello.boot, attempt: 2 });
      await moved.greet();
      await moved.works();
    }),
  );
  for (const node of [first, second])
    await eventually(() => assert.ok(node.presence.agents().every((entry) => entry.node === second.name)));
  await eventually(() => assert.equal(first.live.counters()['hosts'], 0));
  assert.equal(puts(second), 100);
  assert.ok(puts(first) <= 200, `${puts(first)} at the node they left`);
});
