import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fakeClock } from '../testing/fake-clock.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode, TestNodes } from '../testing/nodes.ts';
import { testEntry, testHostId } from '../testing/roster-entries.ts';
import { endpoint } from './exchange-messages.ts';
import type { PresenceChange } from './presence.ts';

const stepMs = 25;
const host1 = testHostId(1);

type Mesh = TestNodes & {
  node(at: number): TestNode;
  run(ms: number): Promise<void>;
  /** Runs until it is so; gives how long it took. */
  until(limitMs: number, isSo: () => boolean): Promise<number>;
  shown(at: number): string[];
  kill(at: number): Promise<void>;
};

const mesh = async (t: TestContext, count: number): Promise<Mesh> => {
  const clock = fakeClock();
  const all = await startNodes(count, { clock, unlinked: true, delayMs: { min: 1, max: 10 } });
  const nodes = [...all.nodes];
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += stepMs) {
      clock.advance(stepMs);
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
    }
  };
  const until = async (limitMs: number, isSo: () => boolean): Promise<number> => {
    const startMs = clock.monotonicMs();
    while (!isSo()) {
      assert.ok(clock.monotonicMs() - startMs < limitMs, `not so within ${limitMs} ms`);
      await run(stepMs);
    }
    return clock.monotonicMs() - startMs;
  };
  const node = (at: number): TestNode => nodes[at] ?? assert.fail();
  t.after(async () => {
    const closing = all.close();
    await run(5000);
    await closing;
  });
  await until(5000, () => nodes.every(({ membership }) => membership.members().length === count - 1));
  return {
    ...{ ...all, node, run, until },
    shown: (at) =>
      node(at)
        .presence.agents()
        .map((entry) => `${Number(entry.hostId.slice(-4))} ${entry.connection} ${entry.node}`)
        .toSorted(),
    kill: async (at) => {
      all.network.kill(node(at).host);
      const closing = node(at).close();
      await run(1000);
      await closing;
    },
    start: async (at) => {
      all.network.revive(node(at).host);
      const started = await all.start(at);
      nodes[at] = started;
      return started;
    },
  };
};
const same = (all: Mesh, ...nodes: number[]): boolean =>
  new Set(nodes.map((at) => all.node(at).presence.digest())).size === 1;

test('what one node says of its agents and containers is known on all within two seconds, as it said it', async (t) => {
  const all = await mesh(t, 3);
  const [zero, one] = [all.node(0), all.node(1)];
  const container = { id: 'abc', name: 'web', state: 'running', health: 'healthy', sinceMs: 5 };
  zero.presence.put(testEntry(1));
  zero.presence.putContainer(host1, container);
  zero.presence.putContainer(host1, { ...container, id: 'def' });
  one.presence.put(testEntry(2, { node: 'n01', degraded: ['its clock is 3 s ahead'] }));
  await all.until(2000, () => same(all, 0, 1, 2) && all.shown(2).length === 2);
  for (const at of [0, 1, 2]) {
    const { presence } = all.node(at);
    assert.deepEqual(presence.agent(host1), testEntry(1));
    assert.deepEqual(
      presence.containers(host1).map(({ id }) => id),
      ['abc', 'def'],
    );
    assert.deepEqual(
      presence.clusters().map(({ cluster, hosts, degraded }) => [cluster, hosts, degraded]),
      [
        ['cluster-1', 1, 0],
        ['cluster-2', 1, 1],
      ],
    );
  }
  zero.presence.removeContainer(host1, 'abc');
  one.presence.remove(testHostId(2));
  await all.until(2000, () => same(all, 0, 1, 2) && all.shown(2).length === 1);
  assert.deepEqual(
    all
      .node(2)
      .presence.containers(host1)
      .map(({ id }) => id),
    ['def'],
  );
});

test('who listens is told at once what there is, then what changes, and nothing twice', async (t) => {
  const all = await mesh(t, 2);
  all.node(0).presence.put(testEntry(1));
  await all.run(500);
  const told: PresenceChange[] = [];
  const stop = all.node(1).presence.onChange((change) => void told.push(change));
  all.node(0).presence.put(testEntry(1));
  await all.run(3000);
  all.node(0).presence.put(testEntry(1, { connection: 'silent' }));
  await all.run(500);
  all.node(0).presence.remove(host1);
  await all.run(500);
  assert.deepEqual(
    told.map(({ entries, gone }) => [entries.map(({ connection }) => connection), gone]),
    [
      [['connected'], []],
      [['silent'], []],
      [[], [host1]],
    ],
  );
  stop();
  all.node(0).presence.put(testEntry(1));
  await all.run(500);
  assert.equal(told.length, 3);
});

test('agents of a killed node show as reconnecting, win at once where they connect again, and are down for one heir after 10 s', async (t) => {
  const all = await mesh(t, 4);
  all.node(3).presence.put(testEntry(1));
  all.node(3).presence.put(testEntry(2));
  all.node(3).presence.put(testEntry(3, { connection: 'left' }));
  await all.run(500);
  await all.kill(3);
  await all.until(1500, () => all.shown(0)[0] === '1 reconnecting n03');
  assert.deepEqual(all.shown(1), ['1 reconnecting n03', '2 reconnecting n03', '3 left n03']);
  all.node(1).presence.put(testEntry(1, { attempt: 2 }));
  await all.until(1000, () => all.shown(0)[0] === '1 connected n01');
  await all.until(11_500, () => all.shown(0)[1] === '2 down n03' && same(all, 0, 1, 2));
  await all.run(60_000);
  for (const at of [0, 1, 2]) assert.deepEqual(all.shown(at), ['1 connected n01', '2 down n03', '3 left n03']);
  assert.ok(same(all, 0, 1, 2));
  const counted = [0, 1, 2].map((at) => all.node(at).presence.counters());
  assert.equal(
    counted.reduce((sum, counts) => sum + (counts['adopted'] ?? 0), 0),
    2,
  );
  all.node(0).presence.put(testEntry(2));
  await all.until(1000, () => all.shown(2)[1] === '2 connected n00' && same(all, 0, 1, 2));
});

test('a node that starts again shows nothing of its former life as up, and has all others say', async (t) => {
  const all = await mesh(t, 3);
  all.node(2).presence.put(testEntry(1));
  all.node(0).presence.put(testEntry(2));
  await all.run(500);
  await all.kill(2);
  await all.start(2);
  await all.until(3000, () => all.shown(2).includes('2 connected n00'));
  assert.deepEqual(all.shown(0), ['1 reconnecting n02', '2 connected n00']);
  all.node(2).presence.put(testEntry(1, { epoch: 2 }));
  await all.until(2000, () => all.shown(0)[0] === '1 connected n02' && same(all, 0, 1, 2));
});

test('both halves of a split adopt, see each other again after it, and the served entries stand', async (t) => {
  const all = await mesh(t, 4);
  for (const at of [0, 1, 2, 3]) all.node(at).presence.put(testEntry(at));
  await all.run(500);
  all.network.split(['h00', 'h01'], ['h02', 'h03']);
  await all.run(30_000);
  assert.deepEqual(all.shown(0), ['0 connected n00', '1 connected n01', '2 down n02', '3 down n03']);
  assert.deepEqual(all.shown(3), ['0 down n00', '1 down n01', '2 connected n02', '3 connected n03']);
  all.node(0).presence.put(testEntry(4));
  all.node(2).presence.put(testEntry(5, { connection: 'left' }));
  all.network.heal();
  const tookMs = await all.until(10_000, () => all.shown(3).length === 6 && same(all, 0, 1, 2, 3));
  t.diagnostic(`equal ${tookMs} ms after the split`);
  await all.run(15_000);
  const expected = ['0', '1', '2', '3'].map((at) => `${at} connected n0${at}`);
  for (const at of [0, 1, 2, 3]) assert.deepEqual(all.shown(at), [...expected, '4 connected n00', '5 left n02']);
});

test('a node keeps what it said of an agent it lost until all know where the agent is now, also when it wants to be rid of it', async (t) => {
  const all = await mesh(t, 3);
  for (const at of [1, 2]) all.node(0).presence.put(testEntry(at));
  await all.run(500);
  const gone: string[] = [];
  all.node(2).presence.onChange((change) => void gone.push(...change.gone));
  all.network.split(['h01'], ['h02']);
  for (const at of [1, 2]) all.node(1).presence.put(testEntry(at, { attempt: 2, node: 'n01' }));
  await all.until(500, () => all.shown(0).join() === '1 connected n01,2 connected n01');
  all.node(0).presence.put(testEntry(1, { connection: 'reconnecting' }));
  all.node(0).presence.remove(testHostId(2));
  await all.run(100);
  assert.equal(all.node(0).presence.counters()['leaving'], 2);
  assert.deepEqual(all.shown(2), ['1 reconnecting n00', '2 connected n00'], 'it has not heard of the later connection');
  await all.until(10_000, () => all.node(0).presence.counters()['leaving'] === 0);
  assert.equal(all.node(0).presence.counters()['yielded'], 2);
  await all.run(500);
  for (const at of [0, 1, 2]) assert.deepEqual(all.shown(at), ['1 connected n01', '2 connected n01']);
  assert.deepEqual(gone, []);
});

test('what nodes cannot tell each other goes by way of a third', async (t) => {
  const all = await mesh(t, 3);
  all.network.split(['h01'], ['h02']);
  await all.run(15_000);
  all.node(1).presence.put(testEntry(1));
  await all.until(5000, () => all.shown(2)[0] === '1 connected n01');
});

test('a document is written anew when half of it is superseded, and nobody who looks notices', async (t) => {
  const all = await mesh(t, 2);
  all.node(0).presence.put(testEntry(1));
  all.node(0).presence.put(testEntry(2));
  await all.run(500);
  let changes = 0;
  all.node(1).presence.onChange(({ entries }) => void (changes += entries.length));
  for (let at = 0; at < 1200; at += 1) {
    all.node(0).presence.put(testEntry(1, { sinceMs: at }));
    await all.run(50);
  }
  await all.run(500);
  const counts = all.node(0).presence.counters();
  assert.ok((counts['rotations'] ?? 0) >= 1);
  assert.ok((counts['documentBytes'] ?? 0) < 70_000);
  assert.equal(all.node(1).presence.agent(host1)?.sinceMs, 1199);
  assert.ok(same(all, 0, 1));
  assert.ok(changes <= 1202, `${changes} entries for 1200 changes and two hosts`);
});

test('a thousand hosts of a node that comes and goes are told and taken over some at a time, and all of them', async (t) => {
  const all = await mesh(t, 2);
  const hosts = 1000;
  const sizes: number[] = [];
  all.node(0).presence.onChange(({ entries, gone }) => void sizes.push(entries.length + gone.length));
  for (let at = 0; at < hosts; at += 1) all.node(1).presence.put(testEntry(at, { node: 'n01' }));
  const shownAs = (connection: string): number =>
    all
      .node(0)
      .presence.agents()
      .filter((entry) => entry.connection === connection).length;
  await all.until(2000, () => same(all, 0, 1) && shownAs('connected') === hosts);
  await all.kill(1);
  await all.until(15_000, () => shownAs('reconnecting') === hosts);
  await all.until(15_000, () => shownAs('down') === hosts);
  await all.until(2000, () => all.node(0).presence.counters()['adopted'] === hosts);
  await all.until(60_000, () => all.node(0).presence.counters()['documentsGone'] === 0);
  await all.run(500);
  assert.equal(shownAs('down'), hosts);
  assert.ok(sizes.length >= 3 * 4, `told in ${sizes.length} pieces`);
  assert.ok(Math.max(...sizes) <= 250, `up to ${Math.max(...sizes)} in one go`);
  // Each was told as connected, reconnecting and down, and nothing more.
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    3 * hosts,
  );
});

test('what a hostile peer says is counted, refused, and costs nobody else anything', async (t) => {
  const all = await mesh(t, 3);
  all.node(0).presence.put(testEntry(1));
  await all.run(1000);
  const digest = all.node(0).presence.digest();
  const { links } = all.node(2);
  const { incarnation } = all.node(1).links.self;
  const bytes = new Uint8Array([1, 2, 3]);
  const hash = '0'.repeat(16);
  const bad: unknown[] = [
    7,
    null,
    [],
    ['u'],
    ['d', 'x'],
    ['l', false, [['p2/a/1/1', -1, hash]]],
    ['w', 'p2/n00/1/1', 'x'],
  ];
  bad.push(['u', `p2/n01/${incarnation}/0`, 0, 1, hash, bytes], ['u', `p2/n01/${incarnation}/7`, 0, 3, hash, bytes]);
  bad.push(['u', 'p2/stranger/1/0', 0, 1, hash, bytes], ['u', `p2/n01/1/0`, 0, 1, hash, bytes]);
  bad.push(['u', `p2/n00/${all.node(0).links.self.incarnation}/0`, 0, 99, hash, new Uint8Array(1000)]);
  bad.push(['w', `p2/n00/${all.node(0).links.self.incarnation}/0`, bytes]);
  for (const message of bad) for (const to of ['n00', 'n01']) links.tell(to, endpoint, message);
  await all.run(3000);
  for (const at of [0, 1, 2]) assert.equal(all.node(at).presence.digest(), digest);
  const counts = all.node(0).presence.counters();
  assert.ok((counts['malformed'] ?? 0) >= 7);
  assert.ok((counts['refused malformed'] ?? 0) >= 2);
  assert.ok((counts['refused not-accepted'] ?? 0) >= 2);
});

test('a node that lays out documents in another way is counted, asked for nothing and taken nothing from; the others go on', async (t) => {
  const all = await mesh(t, 3);
  await all.run(1000);
  const { links } = all.node(2);
  const before = all.node(0).presence.counters();
  const hash = '0'.repeat(16);
  const document = `p/n02/${links.self.incarnation}/0`;
  links.tell('n00', endpoint, ['l', false, [[document, 3, hash]]]);
  links.tell('n00', endpoint, ['u', document, 0, 1, hash, new Uint8Array([1, 2, 3])]);
  links.tell('n00', endpoint, ['w', document, new Uint8Array([0])]);
  await all.run(1000);
  const after = all.node(0).presence.counters();
  assert.deepEqual([after['malformed'], after['wanted']], [(before['malformed'] ?? 0) + 3, before['wanted']]);
  all.node(0).presence.put(testEntry(1));
  await all.run(1000);
  assert.equal(all.node(1).presence.agent(testEntry(1).hostId)?.connection, 'connected');
});

test('a host that cannot be is refused where it is said', async (t) => {
  const all = await mesh(t, 1);
  const { presence } = all.node(0);
  assert.throws(() => presence.put(testEntry(1, { hostId: 'no host id' })), /not to be said/);
  assert.throws(() => presence.put(testEntry(1, { labels: { long: 'x'.repeat(20_000) } })), /too long/);
  assert.deepEqual(presence.agents(), []);
});
