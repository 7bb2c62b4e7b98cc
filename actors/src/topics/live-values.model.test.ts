/**
 * Last values without a key, as the overview has them: whatever happens to links, nodes and outboxes, a subscriber that takes a snapshot of a
 * publisher whenever it is told that what it knows may be old shows the newest value within 2 s after links are healthy.
 */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { fakeClock } from '../testing/fake-clock.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode } from '../testing/nodes.ts';
import type { TopicRules } from './rules.ts';

type Step =
  | { do: 'publish'; node: number; times: number }
  | { do: 'stuff' | 'split' | 'one-way' | 'restart'; node: number }
  | { do: 'heal' }
  | { do: 'subscribe'; node: number }
  | { do: 'wait'; ms: number };

const count = 3;
const node = fc.integer({ min: 0, max: count - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), node, times: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stuff' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('split' as const), node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('one-way' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('heal' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('subscribe' as const), node }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 4000 }) }) },
);
const maxOutboxBytes = 20_000;
const healthyWithinMs = 2000;

/** A node with a value of its own, which it publishes when it changes and tells who asks. */
type Player = { node: TestNode; value: number; views: Map<string, number>[] };

const runLive = async (
  steps: readonly Step[],
  seed: number,
  rules: Partial<TopicRules> = {},
): Promise<{ gaps: number; dropped: number }> => {
  const clock = fakeClock();
  const all = await startNodes(count, {
    ...{ clock, seed, unlinked: true, delayMs: { min: 0, max: 20 }, windowBytes: 1000 },
    links: { maxOutboxBytes },
    rules: { topics: rules },
  });
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 25) {
      clock.advance(25);
      await nextTurn();
    }
  };
  const total = { gaps: 0, dropped: 0 };
  const note = ({ topics, links }: TestNode): void => {
    total.gaps += topics.counters()['gaps'] ?? 0;
    total.dropped += links.counters()['dropped'] ?? 0;
  };
  const encode = (value: number): Uint8Array => new Uint8Array([value >> 8, value & 0xff, ...new Uint8Array(200)]);
  const decode = (payload: Uint8Array): number => ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);

  const join = (one: TestNode, value: number): Player => {
    const player: Player = { node: one, value, views: [] };
    one.links.serve('value', () => ({ bytes: encode(player.value) }));
    return player;
  };
  const subscribe = (player: Player): void => {
    const { topics, links } = player.node;
    const view = new Map<string, number>();
    player.views.push(view);
    const snapshot = async (from: string): Promise<void> => {
      const answer = await links.ask(from, 'value', {}, { deadlineMs: 2000 });
      // Values only grow here, so that a snapshot that comes after newer news does no harm.
      if (answer.ok) take(from, (answer.value as { bytes: Uint8Array }).bytes);
      else if (links.peers().some(({ id }) => id === from)) clock.after(200, () => void snapshot(from));
    };
    const take = (from: string, payload: Uint8Array): void =>
      void view.set(from, Math.max(view.get(from) ?? 0, decode(payload)));
    topics.subscribe('live', {
      deliver: ({ node: from, payload }) => take(from, payload),
      stale: (from) => void snapshot(from),
    });
  };
  const players = all.nodes.map((one) => join(one, 1));
  const player = (at: number): Player => players[at] ?? assert.fail();
  const hosts = all.nodes.map(({ host }) => host);
  for (const one of players) subscribe(one);
  await run(2000);

  for (const one of steps) {
    switch (one.do) {
      case 'publish':
        for (let times = 0; times < one.times; times += 1) {
          player(one.node).value += 1;
          player(one.node).node.topics.publish('live', encode(player(one.node).value));
        }
        break;
      case 'stuff':
        // What may not be dropped pushes out what may, and then fills the outbox.
        for (let times = 0; times < 60; times += 1)
          for (const { id } of player(one.node).node.links.peers())
            player(one.node).node.links.tell(id, 'nobody', new Uint8Array(500));
        break;
      case 'split':
        all.network.split(
          [hosts[one.node] ?? ''],
          hosts.filter((_, at) => at !== one.node),
        );
        break;
      case 'one-way':
        all.network.splitOneWay(hosts[one.node] ?? '', hosts[(one.node + 1) % count] ?? '');
        break;
      case 'restart': {
        const old = player(one.node);
        note(old.node);
        all.network.kill(old.node.host);
        const closing = old.node.close();
        await run(1000);
        await closing;
        all.network.revive(old.node.host);
        players[one.node] = join(await all.start(one.node), old.value + 1);
        subscribe(player(one.node));
        break;
      }
      case 'heal':
        all.network.heal();
        break;
      case 'subscribe':
        subscribe(player(one.node));
        break;
      case 'wait':
        await run(one.ms);
    }
  }
  all.network.heal();
  const isHealthy = (): boolean =>
    players.every(
      ({ node: { links } }) => links.peers().length === count - 1 && (links.counters()['outboxBytes'] ?? 0) === 0,
    );
  for (let tries = 0; !isHealthy(); tries += 1) {
    assert.ok(tries < 400, 'the links never became healthy');
    await run(100);
  }
  await run(healthyWithinMs);
  for (const { node: own, views } of players)
    for (const view of views)
      for (const other of players)
        if (other.node !== own)
          assert.equal(view.get(other.node.links.self.id), other.value, `${own.host} of ${other.node.host}`);
  for (const one of players) note(one.node);
  const closing = all.close();
  await run(5000);
  await closing;
  return total;
};

test('within 2 s after links are healthy every subscriber of a last-value topic shows the newest value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(1000), async (steps, seed) => {
      await runLive(steps, seed);
    }),
    { numRuns: 60 },
  );
});

/** One-way cut, more than an outbox holds, then nothing more: what is left of it is what each rule is for. */
const droppedAtTheEnd: readonly Step[] = [
  { do: 'one-way', node: 0 },
  { do: 'publish', node: 0, times: 50 },
  { do: 'stuff', node: 0 },
  { do: 'wait', ms: 300 },
];
const subscribedLate: readonly Step[] = [
  { do: 'publish', node: 0, times: 3 },
  { do: 'restart', node: 1 },
];

test('news dropped at the very end, with nothing to follow them, are missed by nobody', async () => {
  const { gaps, dropped } = await runLive(droppedAtTheEnd, 7);
  assert.ok(dropped > 0, 'nothing was dropped');
  assert.ok(gaps > 0, 'no gap was seen');
});

const mutants: readonly (readonly [name: string, steps: readonly Step[], rules: Partial<TopicRules>])[] = [
  ['a publisher that keeps to itself what was dropped', droppedAtTheEnd, { tellsDrops: () => false }],
  ['how far a publisher has got means nothing', droppedAtTheEnd, { isBehind: () => false }],
  ['a stream that begins is taken for whole', subscribedLate, { beginsStale: () => false }],
  ['interest is not told again to who has it already', subscribedLate, { interest: () => 'ignore' }],
];
for (const [name, steps, rules] of mutants)
  test(`without the rule it is noticed: ${name}`, async () => {
    await assert.rejects(runLive(steps, 7, rules), assert.AssertionError);
  });
