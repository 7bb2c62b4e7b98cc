import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode, TestNodesOptions } from '../testing/nodes.ts';
import type { ActorRef, ActorSpec, StopReason } from '../system/actor-system.ts';

const mesh = async (t: TestContext, count: number, options: TestNodesOptions = {}) => {
  const all = await startNodes(count, options);
  t.after(() => all.close());
  const [a, b, c] = all.nodes;
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
    receive: (_state: undefined, message: M) => {
      receive(message);
      return undefined;
    },
    ...more,
  }) satisfies ActorSpec<M, undefined>;

type Question = { add: [number, number]; reply: (sum: number) => void };
const adder = doing<Question>('adder', ({ add, reply }) => reply(add[0] + add[1]));
const find = async <M>(node: TestNode, name: string, at: string): Promise<ActorRef<M>> => {
  let found: ActorRef<M> | undefined;
  await eventually(() => {
    found = node.actors.lookup<M>(name).find((one) => one.node.id === at)?.actor;
    assert.ok(found, `${name} at ${at}`);
  });
  assert.ok(found);
  return found;
};
const recorder = (node: TestNode, name = 'recorder') => {
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
  const outcome = await middle.ask<unknown>((reply) => ({ who: home, reply }), { deadlineMs: 5000 });
  assert.ok(outcome.ok);
  const answer = outcome.value as { answered: string; who: unknown };
  assert.equal(answer.answered, 'by c');
  assert.equal(answer.who, home);
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

type Wish = { wish: string; reply?: (value: string) => void };

test('an ask says why it has no answer: silence, a crash, an end, a full mailbox, a lost node', async (t) => {
  const { a, b, network } = await mesh(t, 2);
  const wisher = b.system.spawn(
    doing<Wish>('wisher', ({ wish }) => {
      if (wish === 'crash') throw new Error('as wished');
    }),
  );
  b.actors.register('wisher', wisher);
  b.actors.register(
    'busy',
    b.system.spawn<Wish, undefined>({
      ...{ name: 'busy', mailbox: { max: 1, whenFull: 'refuse' }, restart: never, start: () => undefined },
      receive: () => new Promise(() => undefined),
    }),
  );
  const remote = await find<Wish>(a, 'wisher', 'n01');
  const busy = await find<Wish>(a, 'busy', 'n01');
  const ask = async (who: ActorRef<Wish>, wish: string, deadlineMs = 5000): Promise<string> => {
    const outcome = await who.ask<string>((reply) => ({ wish, reply }), { deadlineMs });
    return outcome.ok ? 'ok' : outcome.reason;
  };
  assert.equal(await ask(remote, 'silence', 50), 'deadline');
  assert.equal(await ask(busy, 'is at work', 50), 'deadline');
  assert.equal(await ask(busy, 'waits', 50), 'deadline');
  assert.equal(await ask(busy, 'finds no room'), 'full');
  assert.equal(await ask(remote, 'crash'), 'failed');
  await eventually(async () => assert.equal(await ask(remote, 'too late'), 'stopped'));
  const asking = ask(busy, 'the node dies');
  network.kill('h01');
  assert.equal(await asking, 'lost');
  assert.equal(await ask(busy, 'the node is dead'), 'lost');
  assert.deepEqual(busy.tell({ wish: 'same' }), { ok: false, reason: 'lost' });
});

test('what cannot be told is a mistake of the caller, and nothing is under way after it', async (t) => {
  const { a, b } = await mesh(t, 2);
  recorder(b);
  const remote = await find<unknown>(a, 'recorder', 'n01');
  assert.throws(() => remote.tell({ f: () => 1 }), /a function cannot be told/);
  assert.throws(() => remote.tell(new Map()), /a Map cannot be told/);
  await assert.rejects(
    remote.ask(() => ({ big: 1n }), { deadlineMs: 1000 }),
    /a bigint cannot be told/,
  );
});

test('a stopped, a crashed and a lost actor are each said once to each watcher, with the reason', async (t) => {
  const { a, b, network } = await mesh(t, 2);
  const downs: string[] = [];
  const seen =
    (who: string) =>
    (reason: StopReason): void =>
      void downs.push(`${who} ${reason.kind}`);
  for (const name of ['stops', 'crashes', 'stays'])
    b.actors.register(
      name,
      b.system.spawn(
        doing<string>(name, (message) => {
          if (message === 'crash') throw new Error('as told');
        }),
      ),
    );
  const [stops, crashes, stays] = [
    await find<string>(a, 'stops', 'n01'),
    await find<string>(a, 'crashes', 'n01'),
    await find<string>(a, 'stays', 'n01'),
  ];
  a.actors.watch(stops, seen('stops'));
  a.actors.watch(stops, seen('stops again'));
  a.actors.watch(crashes, seen('crashes'));
  a.actors.watch(stays, seen('stays'));
  a.actors.watch(stays, () => assert.fail('no longer watched'))();
  crashes.tell('crash');
  b.actors.lookup('stops')[0]?.actor.stop();
  await eventually(() =>
    assert.deepEqual(downs.toSorted(), ['crashes failed', 'stops again stopped', 'stops stopped']),
  );
  await eventually(() => assert.deepEqual(a.actors.lookup('stops'), []));
  network.kill('h01');
  await eventually(() => assert.equal(downs[3], 'stays lost'));
  assert.equal((await stays.stopped).kind, 'lost');
  assert.equal(downs.length, 4);
  assert.equal(a.actors.counters()['watching'], 0);
});

test('watching what is gone already is answered at once, and never before watch has returned', async (t) => {
  const { a, b, network } = await mesh(t, 2);
  const gone = b.system.spawn(doing<string>('gone', () => undefined));
  b.links.serve('gone', () => gone);
  const outcome = await a.links.ask('n01', 'gone', null, { deadlineMs: 5000 });
  assert.ok(outcome.ok);
  const remote = outcome.value as ActorRef<string>;
  gone.stop();
  await gone.stopped;
  assert.deepEqual(await remote.stopped, { kind: 'stopped' });
  network.kill('h01');
  await eventually(() => assert.equal(a.links.peers().length, 0));
  let returned = false;
  const reason = await new Promise<StopReason>((resolve) => {
    a.actors.watch(remote, (why) => {
      assert.ok(returned);
      resolve(why);
    });
    returned = true;
  });
  assert.equal(reason.kind, 'lost');
});

test('a local actor is watched like any other', async (t) => {
  const { a } = await mesh(t, 2);
  const near = a.system.spawn(doing<string>('near', () => undefined));
  const downs: StopReason[] = [];
  a.actors.watch(near, (reason) => void downs.push(reason));
  a.actors.watch(near, () => assert.fail('no longer watched'))();
  near.stop();
  await eventually(() => assert.deepEqual(downs, [{ kind: 'stopped' }]));
});

test('a reference of a former life reaches nobody in the next', async (t) => {
  const { a, b, all, network } = await mesh(t, 2);
  recorder(b, 'first');
  const former = await find<string>(a, 'first', 'n01');
  network.kill('h01');
  await b.close();
  network.revive('h01');
  const again = await all.start(1);
  const { got } = recorder(again, 'first of the next life');
  await eventually(() => assert.equal(a.links.peers().length, 1));
  await find(a, 'first of the next life', 'n01');
  assert.deepEqual(a.actors.lookup('first'), []);
  assert.deepEqual(former.tell('for the dead'), { ok: false, reason: 'lost' });
  assert.equal((await former.stopped).kind, 'lost');
  await nextTurn();
  assert.deepEqual(got, []);
});

test('names: own first, gone with their actor, one per node, told to whoever comes later', async (t) => {
  const { a, b, all } = await mesh(t, 2);
  const one = a.system.spawn(doing('one', () => undefined));
  const two = b.system.spawn(doing('two', () => undefined));
  a.actors.register('serves', one);
  b.actors.register('serves', two);
  const late = await all.start(2);
  const nodesOf = (node: TestNode): string[] => node.actors.lookup('serves').map((found) => found.node.id);
  await eventually(() =>
    assert.deepEqual([a, b, late].map(nodesOf), [
      ['n00', 'n01'],
      ['n01', 'n00'],
      ['n00', 'n01'],
    ]),
  );
  assert.throws(() => a.actors.register('serves', one), /a living actor of this node has it/);
  assert.throws(() => a.actors.register('', one), /expected 1 to 200 characters/);
  const far = a.actors.lookup('serves')[1]?.actor;
  assert.ok(far);
  assert.throws(() => a.actors.register('theirs', far), /lives on another node/);
  one.stop();
  await eventually(() => assert.deepEqual([a, b, late].map(nodesOf), [['n01'], ['n01'], ['n01']]));
  a.actors.register('serves', a.system.spawn(doing('another', () => undefined)))();
  assert.deepEqual(nodesOf(a), ['n01']);
});

test('a peer may stop an actor it was given, but not one that serves all by name', async (t) => {
  const { a, b } = await mesh(t, 2);
  const given = b.system.spawn(doing('given', () => undefined));
  const { ref: named } = recorder(b, 'named');
  b.links.serve('given', () => given);
  const outcome = await a.links.ask('n01', 'given', null, { deadlineMs: 5000 });
  assert.ok(outcome.ok);
  (await find(a, 'named', 'n01')).stop();
  (outcome.value as ActorRef<string>).stop();
  assert.deepEqual(await given.stopped, { kind: 'stopped' });
  assert.equal(b.actors.counters()['refused'], 1);
  assert.deepEqual(named.tell('still here'), { ok: true });
});
