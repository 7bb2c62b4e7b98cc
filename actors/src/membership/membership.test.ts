import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Links } from '../link/links.ts';
import type { Transport } from '../link/transport.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import type { FakeClock } from '../testing/fake-clock.ts';
import { loopbackNetwork } from '../testing/loopback-network.ts';
import type { LoopbackNetwork, LoopbackOptions } from '../testing/loopback-network.ts';
import { hostName, nodeId, startNode } from '../testing/start-node.ts';
import type { TestNode } from '../testing/start-node.ts';
import { pausable } from '../testing/pausable.ts';
import type { Pausable } from '../testing/pausable.ts';
import type { MembershipRules } from './membership.ts';

const stepMs = 25;
const turns = async (count = 3): Promise<void> => {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => void setImmediate(resolve));
};

type Mesh = {
  readonly clock: FakeClock;
  readonly network: LoopbackNetwork;
  readonly nodes: TestNode[];
  readonly processes: Pausable[];
  /** What each node was told, as `joined n01`, `dead n01`, `left n01`, `suspect n01`, `renewed`. */
  readonly told: string[][];
  run(ms: number): Promise<void>;
  /** Runs until it is so; fails after `limitMs`. Gives how long it took. */
  until(limitMs: number, isSo: () => boolean): Promise<number>;
  start(index: number): Promise<TestNode>;
  /** Hosts between which doors are shut, as by a firewall that refuses: `h01 h02`. */
  readonly shut: Set<string>;
};
type MeshOptions = Omit<LoopbackOptions, 'clock'> & {
  rules?: Partial<MembershipRules>;
  above?: (index: number) => ((links: Links) => Links) | undefined;
};

const mesh = async (t: TestContext, count: number, options: MeshOptions = {}): Promise<Mesh> => {
  const clock = fakeClock();
  const network = loopbackNetwork(5, { ...options, clock });
  const nodes: TestNode[] = [];
  const processes: Pausable[] = [];
  const shut = new Set<string>();
  const told: string[][] = [];
  const started: TestNode[] = [];
  const start = async (index: number): Promise<TestNode> => {
    const above = options.above?.(index);
    const process = pausable(clock);
    processes[index] = process;
    const host = hostName(index);
    const bare = network.transport(host, process.turn);
    const transport: Transport = {
      ...bare,
      dial: (address, open, how) =>
        [...shut].some((pair) => pair.includes(host) && pair.includes(address.slice(0, 3)))
          ? Promise.resolve({ ok: false, reason: 'shut', refused: true })
          : bare.dial(address, open, how),
    };
    const node = await startNode(index, {
      ...{ clock: process.clock, transport },
      links: { random: () => 0.5 },
      ...(options.rules && { rules: { membership: options.rules } }),
      ...(above && { above }),
    });
    const events: string[] = [];
    node.membership.onChange({
      joined: ({ id }, incarnation) => void events.push(`joined ${id} ${incarnation}`),
      gone: ({ id }, incarnation, why) => void events.push(`${why} ${id} ${incarnation}`),
      changed: ({ node: { id }, state }) => {
        if (state === 'suspect') events.push(`suspect ${id}`);
      },
      renewed: () => void events.push('renewed'),
    });
    nodes[index] = node;
    told[index] = events;
    started.push(node);
    return node;
  };
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += stepMs) {
      clock.advance(stepMs);
      await turns();
    }
  };
  const until = async (limitMs: number, isSo: () => boolean): Promise<number> => {
    let tookMs = 0;
    for (; !isSo(); tookMs += stepMs) {
      assert.ok(tookMs < limitMs, `not so within ${limitMs} ms: ${JSON.stringify(told)}`);
      await run(stepMs);
    }
    return tookMs;
  };
  t.after(async () => {
    const closing = Promise.all(started.map((node) => node.close()));
    await turns();
    await run(2000);
    await closing;
  });
  for (let index = 0; index < count; index += 1) await start(index);
  await run(2000);
  const all = { shut, clock, network, nodes, processes, told, run, until, start };
  for (const index of nodes.keys()) assert.equal(seen(all, index).length, count - 1);
  for (const events of told) events.length = 0;
  return all;
};

const at = ({ nodes }: Mesh, index: number): TestNode => nodes[index] ?? assert.fail(`no node ${index}`);
const events = ({ told }: Mesh, index: number): string[] => told[index] ?? assert.fail(`no node ${index}`);
/** Whom a node has for members, without their incarnations. */
const seen = (all: Mesh, index: number): string[] =>
  at(all, index)
    .membership.members()
    .map(({ node }) => node.id)
    .sort();
const names = (list: readonly string[]): string[] => list.map((event) => event.replace(/ \d+$/, ''));
const sawDead = (all: Mesh, index: number, whom: number): boolean =>
  events(all, index).some((event) => event.startsWith(`dead ${nodeId(whom)} `));
const pick = (all: Mesh, but: readonly number[]): number[] => [...all.nodes.keys()].filter((one) => !but.includes(one));

test('a killed node is dead for all within a second, once, with what speaks for it', async (t) => {
  const all = await mesh(t, 5);
  const incarnation = at(all, 4).links.self.incarnation;
  const gone = at(all, 4).membership;
  gone.close();
  all.network.kill('h04');
  const tookMs = await all.until(1000, () => [0, 1, 2, 3].every((one) => sawDead(all, one, 4)));
  t.diagnostic(`after ${tookMs} ms`);
  await all.run(20_000);
  for (const one of [0, 1, 2, 3]) {
    assert.deepEqual(events(all, one), [`dead n04 ${incarnation}`]);
    const { membership } = at(all, one);
    assert.ok(membership.isGone('n04', incarnation) && !membership.isGone('n04', incarnation + 1));
  }
});

test('a node that vanishes without a word is suspect after 3 s and dead for all within 6 s', async (t) => {
  const all = await mesh(t, 5);
  all.network.vanish('h04');
  await all.run(2900);
  assert.ok([0, 1, 2, 3].every((one) => !sawDead(all, one, 4)));
  const suspectMs = 2900 + (await all.until(1500, () => events(all, 0).includes('suspect n04')));
  const tookMs = await all.until(6000 - suspectMs, () => [0, 1, 2, 3].every((one) => sawDead(all, one, 4)));
  t.diagnostic(`suspect after ${suspectMs} ms, dead after ${suspectMs + tookMs} ms`);
  await all.run(20_000);
  for (const one of [0, 1, 2, 3]) assert.deepEqual(seen(all, one).length, 3);
});

test('of two nodes each is the only one to ask: silence alone decides', async (t) => {
  const all = await mesh(t, 2);
  all.network.vanish('h01');
  await all.run(4500);
  assert.ok(!sawDead(all, 0, 1));
  await all.until(1500, () => sawDead(all, 0, 1));
});

test('a node that leaves is gone for all at once, without any suspicion', async (t) => {
  const all = await mesh(t, 5, { delayMs: { min: 1, max: 20 } });
  let told = false;
  void at(all, 3)
    .membership.leave()
    .then(() => (told = true));
  await all.until(200, () => told && [0, 1, 2, 4].every((one) => seen(all, one).length === 3));
  const closing = at(all, 3).close();
  await all.run(15_000);
  await closing;
  for (const one of [0, 1, 2, 4]) assert.deepEqual(names(events(all, one)), ['left n03']);
});

test('a node that starts again within a moment has a new incarnation, after the end of the former', async (t) => {
  const all = await mesh(t, 4);
  const before = at(all, 3).links.self.incarnation;
  at(all, 3).membership.close();
  all.network.kill('h03');
  await at(all, 3).links.close();
  all.network.revive('h03');
  const again = await all.start(3);
  const after = again.links.self.incarnation;
  assert.ok(after > before);
  await all.until(3000, () => [0, 1, 2].every((one) => events(all, one).includes(`joined n03 ${after}`)));
  for (const one of [0, 1, 2]) assert.deepEqual(events(all, one), [`dead n03 ${before}`, `joined n03 ${after}`]);
});

test('a cable between two of five nodes kills nobody, whichever way is cut', async (t) => {
  for (const way of ['both', 'one'] as const) {
    const all = await mesh(t, 5);
    if (way === 'both') all.network.split(['h01'], ['h02']);
    else all.network.splitOneWay('h01', 'h02');
    await all.run(60_000);
    assert.ok(
      at(all, 1)
        .links.peers()
        .every(({ id }) => id !== 'n02'),
      'the link is down',
    );
    for (const one of all.nodes.keys()) assert.deepEqual([events(all, one), seen(all, one).length], [[], 4]);
    all.network.heal();
    await all.until(10_000, () => at(all, 1).links.peers().length === 4);
  }
});

test('a door that is shut to two of five kills nobody: the others have the node on the line', async (t) => {
  const all = await mesh(t, 5);
  for (const one of [1, 3]) {
    all.shut.add(`${hostName(one)} h02`);
    at(all, one).links.drop('n02', 'as by a firewall');
  }
  await all.run(20_000);
  for (const one of [1, 3])
    assert.ok(
      at(all, one)
        .links.peers()
        .every(({ id }) => id !== 'n02'),
    );
  for (const one of all.nodes.keys()) assert.deepEqual([events(all, one), seen(all, one).length], [[], 4]);
});

test('torn in two, each part goes on without the other; whole again, all are members of all within seconds', async (t) => {
  const all = await mesh(t, 5);
  const firstly = all.nodes.map(({ membership }) => membership.incarnation());
  all.network.split(['h00', 'h01'], ['h02', 'h03', 'h04']);
  await all.until(6000, () => seen(all, 0).length === 1 && seen(all, 1).length === 1 && seen(all, 2).length === 2);
  for (const [one, count] of [1, 1, 2, 2, 2].entries()) assert.equal(seen(all, one).length, count);
  await all.run(60_000);
  all.network.heal();
  const tookMs = await all.until(10_000, () => all.nodes.every((_, one) => seen(all, one).length === 4));
  t.diagnostic(`whole again after ${tookMs} ms`);
  await all.run(5000);
  for (const [one, { membership }] of all.nodes.entries()) {
    const incarnation = membership.incarnation();
    assert.equal(events(all, one).filter((event) => event === 'renewed').length, 1);
    for (const other of pick(all, [one])) {
      const member = at(all, other)
        .membership.members()
        .find(({ node }) => node.id === nodeId(one));
      assert.equal(member?.incarnation, incarnation);
      assert.ok(at(all, other).membership.isGone(nodeId(one), firstly[one] ?? NaN));
      assert.deepEqual(
        events(all, other).filter((event) => event.includes(nodeId(one)) && !event.startsWith('suspect')),
        [`dead ${nodeId(one)} ${firstly[one] ?? NaN}`, `joined ${nodeId(one)} ${incarnation}`],
      );
    }
  }
});

test('after any split and heal all know the same, and everybody is told joined and gone in turns', async (t) => {
  const all = await mesh(t, 6);
  const splits = [[0], [0, 1, 2], [5], [1, 3, 5]];
  for (const some of splits) {
    all.network.split(some.map(hostName), pick(all, some).map(hostName));
    await all.run(9000);
    all.network.heal();
    await all.until(12_000, () => all.nodes.every((_, one) => seen(all, one).length === 5));
    await all.run(4000);
  }
  for (const one of all.nodes.keys())
    for (const other of pick(all, [one])) {
      const about = events(all, one).filter((event) => event.includes(nodeId(other)) && !event.startsWith('suspect'));
      for (const [index, event] of about.entries()) assert.equal(event.startsWith('dead'), index % 2 === 0, event);
      assert.equal(new Set(about).size, about.length, 'nothing twice');
    }
});

test('a node that is stopped for 30 s is dead for the others, accuses nobody when it goes on, and is one of them again', async (t) => {
  const all = await mesh(t, 5);
  const stopped = all.processes[4] ?? assert.fail();
  stopped.pause();
  const tookMs = await all.until(6000, () => [0, 1, 2, 3].every((one) => sawDead(all, one, 4)));
  await all.run(30_000 - tookMs);
  stopped.resume();
  await all.until(5000, () => all.nodes.every((_, one) => seen(all, one).length === 4));
  await all.run(20_000);
  assert.deepEqual(events(all, 4), ['renewed']);
  for (const one of [0, 1, 2, 3]) assert.deepEqual(names(events(all, one)), ['suspect n04', 'dead n04', 'joined n04']);
});

test('two nodes of three that stand still together, or all of them, accuse nobody when they go on', async (t) => {
  for (const still of [
    [0, 1],
    [0, 1, 2],
  ]) {
    const all = await mesh(t, 3);
    for (const one of still) all.processes[one]?.pause();
    await all.run(4000);
    for (const one of still) all.processes[one]?.resume();
    await all.run(20_000);
    for (const one of still) assert.deepEqual(events(all, one), [], `${still.join()}: ${one}`);
    for (const one of all.nodes.keys()) assert.equal(seen(all, one).length, 2);
  }
});

test('a node that starves, and runs for a moment every two seconds, accuses nobody and believes the others', async (t) => {
  const all = await mesh(t, 4);
  const starved = all.processes[3] ?? assert.fail();
  const starve = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 2100) {
      starved.pause();
      await all.run(2000);
      starved.resume();
      await all.run(100);
    }
  };
  await starve(60_000);
  for (const one of all.nodes.keys()) assert.deepEqual(names(events(all, one)), []);
  all.network.vanish('h00');
  await starve(8000);
  for (const one of [1, 2, 3]) assert.ok(sawDead(all, one, 0));
  assert.equal(at(all, 3).membership.counters()['verdicts'], 0);
});

test('a lie about a node that others hear kills nobody: the accused clears itself', async (t) => {
  const all = await mesh(t, 4);
  const victim = at(all, 2).membership;
  const lie = {
    ...{ node: victim.self, incarnation: victim.incarnation(), state: 'dead', why: 'I say so', agoMs: 0 },
  };
  let missing = 0;
  for (const one of [0, 1])
    at(all, one).membership.onChange({
      changed: () => {
        if (seen(all, one).length < 3) missing += 1;
      },
    });
  at(all, 3).links.tellAll(['n00', 'n01'], 'membership', { kind: 'claims', claims: [lie], answer: false });
  await all.until(1000, () => victim.incarnation() === lie.incarnation + 1);
  await all.run(3000);
  for (const one of [0, 1]) {
    assert.deepEqual(events(all, one), [`dead n02 ${lie.incarnation}`, `joined n02 ${lie.incarnation + 1}`]);
    assert.equal(seen(all, one).length, 3);
    assert.equal(at(all, one).membership.counters()['disbelieved'], 1);
  }
  assert.equal(missing, 0, 'it was a member all the time');
});

test('a peer that lies without end costs a few renewals a minute', async (t) => {
  const all = await mesh(t, 3);
  const victim = at(all, 1).membership;
  for (let second = 0; second < 60; second += 1) {
    const lie = {
      ...{ node: victim.self, incarnation: victim.incarnation(), state: 'dead', why: 'again', agoMs: 0 },
    };
    at(all, 2).links.tell('n01', 'membership', { kind: 'claims', claims: [lie], answer: false });
    await all.run(1000);
  }
  assert.equal(victim.counters()['renewals'], 5);
  assert.ok((victim.counters()['accusationsIgnored'] ?? 0) > 50);
  assert.equal(seen(all, 0).length, 2);
});

test('what no node says is counted and changes nothing', async (t) => {
  const all = await mesh(t, 2);
  const { self } = at(all, 1).membership;
  for (const body of [
    ...[null, 7, [], {}, { kind: 'claims' }, { kind: 'claims', claims: [{ node: self }], answer: false }],
    {
      kind: 'sights',
      sights: [{ id: 'n01', incarnation: 1, heardAgoMs: -1, linked: true, refused: true }],
      doubts: false,
      ask: true,
    },
    { kind: 'claims', claims: new Array(1001).fill(0), answer: true },
  ])
    at(all, 1).links.tell('n00', 'membership', body);
  await all.run(2000);
  assert.equal(at(all, 0).membership.counters()['malformed'], 8);
  assert.deepEqual([events(all, 0), seen(all, 0)], [[], ['n01']]);
});

test('after close nothing is left running', async (t) => {
  const all = await mesh(t, 2);
  const before = all.clock.pending();
  for (const { membership } of all.nodes) membership.close();
  assert.equal(all.clock.pending(), before - 2);
});
