/**
 * Random tells, asks, watches, stops, splits, kills and restarts on three nodes in virtual time, against what must hold whatever happens: the order
 * per sender and receiver, nothing twice, every ask settled, one DOWN for each watch and none without a cause.
 */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { ActorRef } from '../system/actor-system.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode } from '../testing/nodes.ts';
import { seededRandom } from '../testing/random.ts';
import type { LinkRules } from './rules.ts';

type Told = { from: string; to: string; at: number; reply?: (at: number) => void };
type Target = { name: string; actor: ActorRef<Told> };
type Watched = { by: TestNode; actor: string; downs: string[] };

const count = 3;
const steps = 400;

const run = async (seed: number, rules: Partial<LinkRules> = {}): Promise<string[]> => {
  const clock = fakeClock();
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const wrong: string[] = [];
  const all = await startNodes(count, {
    ...{ clock, seed, unlinked: true, delayMs: { min: 0, max: 40 }, lossRate: 0.02 },
    rules: { link: rules },
  });
  const nodes: (TestNode | undefined)[] = [...all.nodes];
  const remembered = new Map<TestNode, Target[]>();
  const alive = new Map<string, ActorRef<Told>>();
  const seen = new Map<string, number>();
  const sent = new Map<string, number>();
  const watches: Watched[] = [];
  const asks: { actor: string; settled: number }[] = [];
  let spawned = 0;
  let down = 0;

  const turn = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      clock.advance(10);
      await nextTurn();
    }
  };
  const spawn = (node: TestNode): void => {
    spawned += 1;
    const name = `actor-${spawned}`;
    const ref = node.system.spawn<Told, undefined>({
      ...{ name, mailbox: { max: 10_000, whenFull: 'refuse' }, restart: { times: 0, withinMs: 1 } },
      start: () => undefined,
      receive: (_state, told) => {
        if (told.to !== name) wrong.push(`${name} got what was for ${told.to}`);
        const way = `${told.from} to ${name}`;
        if (told.at <= (seen.get(way) ?? -1)) wrong.push(`${way}: ${told.at} after ${seen.get(way) ?? -1}`);
        seen.set(way, told.at);
        told.reply?.(told.at);
        return undefined;
      },
    });
    alive.set(name, ref);
    void ref.stopped.then(() => alive.delete(name));
    node.actors.register(name, ref);
  };
  const known = (node: TestNode): Target | undefined => {
    if (random() < 0.2) return remembered.get(node)?.at(-1 - below(20));
    const name = `actor-${1 + below(spawned)}`;
    const found = node.actors.lookup<Told>(name)[0];
    if (!found) return undefined;
    const target = { name, actor: found.actor };
    remembered.set(node, [...(remembered.get(node) ?? []), target]);
    return target;
  };
  const kill = async (index: number): Promise<void> => {
    const node = nodes[index];
    if (!node) return;
    nodes[index] = undefined;
    all.network.kill(`h0${index}`);
    const closing = node.close();
    await turn(3000);
    await closing;
    all.network.revive(`h0${index}`);
  };
  const step = async (): Promise<void> => {
    const index = below(count);
    const node = nodes[index];
    const what = random();
    if (!node) {
      if (what < 0.1) nodes[index] = await all.start(index);
      return;
    }
    const target = spawned > 0 ? known(node) : undefined;
    const from = `${node.links.self.id}@${node.links.self.incarnation}`;
    if (what < 0.05) spawn(node);
    else if (what < 0.6 && target) {
      const to = target.name;
      const way = `${from} to ${to}`;
      for (let burst = below(8); burst >= 0; burst -= 1) {
        const at = (sent.get(way) ?? -1) + 1;
        sent.set(way, at);
        if (random() < 0.7) target.actor.tell({ from, to, at });
        else {
          const asked = { actor: target.name, settled: 0 };
          asks.push(asked);
          void target.actor
            .ask<number>((reply) => ({ from, to, at, reply }), { deadlineMs: 2000 })
            .then((outcome) => {
              asked.settled += 1;
              if (outcome.ok && outcome.value !== at) wrong.push(`${way}: asked ${at}, answered ${outcome.value}`);
            });
        }
      }
    } else if (what < 0.85 && target) {
      const watched: Watched = { by: node, actor: target.name, downs: [] };
      const stop = node.actors.watch(target.actor, (reason) => void watched.downs.push(reason.kind));
      if (random() < 0.2) stop();
      else watches.push(watched);
    } else if (what < 0.9) [...alive.values()][below(alive.size)]?.stop();
    else if (what < 0.92) all.network.split(['h00'], ['h01', 'h02']);
    else if (what < 0.93) all.network.splitOneWay(`h0${index}`, `h0${(index + 1) % count}`);
    else if (what < 0.97) all.network.heal();
    else if ((down += 1) <= 3) await kill(index);
  };

  await turn(2000);
  for (let at = 0; at < steps; at += 1) {
    await step();
    if (random() < 0.3) await turn(10 * below(30));
  }
  all.network.heal();
  await turn(15_000);
  // A node that was killed hears of nothing more.
  for (const { by, actor, downs } of watches)
    if (nodes.includes(by) && !alive.has(actor) && downs.length === 0) wrong.push(`no DOWN of ${actor}, which is gone`);
  for (const ref of alive.values()) ref.stop();
  await turn(3000);
  for (const { actor, downs } of watches)
    if (downs.length > 1) wrong.push(`${downs.length} DOWN of ${actor}: ${downs.join(', ')}`);
  // All actors have stopped.
  for (const node of nodes)
    if (node && (node.actors.counters()['watching'] ?? 0) > 0) wrong.push('a watch is left over');
  for (const { actor, settled } of asks)
    if (settled !== 1) wrong.push(`an ask of ${actor} was settled ${settled} times`);
  const closing = all.close();
  await turn(5000);
  await closing;
  return wrong;
};

test('whatever happens, order holds, nothing comes twice, asks are settled, and every watch has its one DOWN', async () => {
  for (let seed = 1; seed <= 25; seed += 1) assert.deepEqual(await run(seed), [], `seed ${seed}`);
});

const wrongRules: Readonly<Record<string, Partial<LinkRules>>> = {
  'a watch goes on after its DOWN': { endsWatch: () => false },
  'no DOWN for what is gone already': { isGone: () => false },
  'a lost link loses no watch': { isLostWith: () => false },
  'a former life is reached in the next': { reaches: (made, linked) => made.id === linked?.id },
};

for (const [what, rules] of Object.entries(wrongRules))
  test(`it would be noticed if ${what}`, async () => {
    for (let seed = 1; seed <= 25; seed += 1) if ((await run(seed, rules)).length > 0) return;
    assert.fail('nobody noticed');
  });
