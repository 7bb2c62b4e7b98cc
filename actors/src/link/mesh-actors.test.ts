import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode, TestNodes, TestNodesOptions } from '../testing/nodes.ts';
import type { ActorRef, ActorSpec, StopReason } from '../system/actor-system.ts';
import { startMeshActors } from './mesh-actors.ts';
import type { MeshActors } from './mesh-actors.ts';

type Node = TestNode & { actors: MeshActors };
const withActors = (node: TestNode): Node => ({
  ...node,
  actors: startMeshActors({ links: node.links, system: node.system }),
});

const mesh = async (t: TestContext, count: number, options: TestNodesOptions = {}) => {
  const all = await startNodes(count, options);
  t.after(() => all.close());
  const nodes = all.nodes.map(withActors);
  const [a, b, c] = nodes;
  assert.ok(a && b);
  return { all, a, b, c: c ?? b, network: all.network };
};

const mailbox = { max: 100_000, whenFull: 'refuse' } as const;
const never = { times: 0, withinMs: 1 };
/** An actor that does this with every message. */
const doing = <M>(name: string, receive: (message: M) => void, more: Partial<ActorSpec<M, undefined>> = {}) =>
  ({
    ...{ name, mailbox, restart: never },
    start: () => undefined,
    receive: (_state: undefined, message: M) => void receive(message),
    ...more,
  }) satisfies ActorSpec<M, undefined>;

type Question = { add: [number, number]; reply: (sum: number) => void };
const adder = doing<Question>('adder', ({ add, reply }) => reply(add[0] + add[1]));
const find = async <M>(node: Node, name: string, at: string): Promise<ActorRef<M>> => {
  let found: ActorRef<M> | undefined;
  await eventually(() => {
    found = node.actors.lookup<M>(name).find((one) => one.node.id === at)?.actor;
    assert.ok(found, `${name} at ${at}`);
  });
  assert.ok(found);
  return found;
};
const recorder = (node: Node, name = 'recorder') => {
  const got: unknown[] = [];
  const ref = node.system.spawn(doing<unknown>(name, (message) => void got.push(message)));
  node.actors.register(name, ref);
  return { got, ref };
};

test('an actor known by name is told and asked from another node as from its own', async (t) => {
  const { a, b } = await mesh(t, 2);
  b.actors.register('adder', b.system.spawn(adder));
  for (const node of [a, b]) {
    const remote = await find<Question>(node, 'adder', 'n01');
    const outcome = await remote.ask<number>((reply) => ({ add: [20, 22], reply }), { deadlineMs: 5000 });
    assert.deepEqual(outcome, { ok: true, value: 42 });
  }
});

test('messages of one sender arrive in order, and each once', async (t) => {
  const { a, b } = await mesh(t, 2);
  const { got } = recorder(b);
  const remote = await find<number>(a, 'recorder', 'n01');
  for (let at = 0; at < 20_000; at += 1) {
    assert.deepEqual(remote.tell(at), { ok: true });
    if (at % 700 === 0) await nextTurn();
  }
  await eventually(() => assert.equal(got.length, 20_000));
  assert.deepEqual(got, [...got.keys()]);
});

test('references and replies travel in messages, also over a third node, and come home as the very actor', async (t) => {
  const { a, b, c } = await mesh(t, 3);
  type Introduction = { who: ActorRef<unknown>; reply: (value: unknown) => void };
  // b passes on what a asks, c tells the actor of a and answers in b's place.
  const seen: unknown[] = [];
  const home = a.system.spawn(doing<unknown>('home', (message) => void seen.push(message)));
  const far = c.system.spawn(
    doing<Introduction>('far', ({ who, reply }) => {
      who.tell({ from: 'c', who });
      reply({ answered: 'by c', who });
    }),
  );
  c.actors.register('far', far);
  const onward = await find<Introduction>(b, 'far', 'n02');
  b.actors.register('middle', b.system.spawn(doing<Introduction>('middle', (message) => void onward.tell(message))));
  const middle = await find<Introduction>(a, 'middle', 'n01');
  const outcome = await middle.ask<{ answered: string; who: unknown }>((reply) => ({ who: home, reply }), {
    deadlineMs: 5000,
  });
  assert.ok(outcome.ok);
  assert.equal(outcome.value.answered, 'by c');
  assert.equal(outcome.value.who, home);
  await eventually(() => assert.equal(seen.length, 1));
  assert.equal((seen[0] as { who: unknown }).who, home);
});

test('a reference in a message to an endpoint works, and so does one in its answer', async (t) => {
  const { a, b } = await mesh(t, 2);
  b.links.serve('who-adds', () => ({ adder: b.system.spawn(adder) }));
  const outcome = await a.links.ask('n01', 'who-adds', null, { deadlineMs: 5000 });
  assert.ok(outcome.ok);
  const { adder: remote } = outcome.value as { adder: ActorRef<Question> };
  assert.deepEqual(await remote.ask<number>((reply) => ({ add: [1, 2], reply }), { deadlineMs: 5000 }), {
    ok: true,
    value: 3,
  });
});

test('an ask says why it has no answer: silence, a crash, an end, a full mailbox, a lost node', async (t) => {
  const { a, b, network } = await mesh(t, 2);
  type Wish = { wish: string; reply: (value: string) => void };
  const wisher = b.system.spawn(
    doing<Wish>('wisher', ({ wish }) => {
      if (wish === 'crash') throw new Error('as wished');
    }),
  );
  const busy = b.system.spawn(
    doing<Wish>('busy', () => undefined, {
      mailbox: { max: 1, whenFull: 'refuse' },
      receive: () => new Promise(() => undefined),
    }),
  );
  b.actors.register('wisher', wisher);
  b.actors.register('busy', busy);
  const remote = await find<Wish>(a, 'wisher', 'n01');
  const full = await find<Wish>(a, 'busy', 'n01');
  const ask = async (who: ActorRef<Wish>, wish: string, deadlineMs = 5000): Promise<string> => {
    const outcome = await who.ask<string>((reply) => ({ wish, reply }), { deadlineMs });
    return outcome.ok ? 'ok' : outcome.reason;
  };
  assert.equal(await ask(remote, 'silence', 50), 'deadline');
  void full.tell({ wish: 'a', reply: () => undefined } as never as Wish) satisfies unknown;
  await nextTurn();
}).valueOf;
