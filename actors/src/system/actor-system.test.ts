import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { createActorSystem } from './actor-system.ts';
import type { ActorSpec, ActorSystem } from './actor-system.ts';
import { silentLog } from './log.ts';

const systemFor = (t: TestContext): { system: ActorSystem; advance: (ms: number) => void } => {
  const clock = fakeClock();
  const system = createActorSystem({ name: 'test', clock, log: silentLog });
  t.after(() => system.stop());
  return { system, advance: (ms) => clock.advance(ms) };
};

type Message = { text: string; reply?: (value: string) => void };
type Seen = string[];

/** Keeps what it was told; 'crash' makes it throw. */
const recorder = (seen: Seen, more: Partial<ActorSpec<Message, number>> = {}): ActorSpec<Message, number> => ({
  name: 'recorder',
  mailbox: { max: 1000, whenFull: 'refuse' },
  restart: { times: 3, withinMs: 10_000 },
  start: () => 0,
  receive: (handled, message) => {
    if (message.text === 'crash') throw new Error('told to crash');
    seen.push(`${message.text}${handled}`);
    message.reply?.(message.text.toUpperCase());
    return handled + 1;
  },
  ...more,
});

test('messages are handled in order, each with the state the one before left', async (t) => {
  const { system } = systemFor(t);
  const seen: Seen = [];
  const actor = system.spawn(recorder(seen));
  for (const text of ['a', 'b', 'c']) assert.deepEqual(actor.tell({ text }), { ok: true });
  await eventually(() => assert.deepEqual(seen, ['a0', 'b1', 'c2']));
});

test('all that was told at once is handled, however many turns it takes', async (t) => {
  const { system } = systemFor(t);
  const seen: Seen = [];
  const actor = system.spawn(recorder(seen));
  for (let at = 0; at < 1000; at += 1) actor.tell({ text: 'x' });
  await eventually(() => assert.equal(seen.length, 1000));
});

test('order holds whatever each handler waits for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 }), async (waits) => {
      const system = createActorSystem({ name: 'order', clock: fakeClock(), log: silentLog });
      const seen: number[] = [];
      const actor = system.spawn<{ at: number; turns: number }, number>({
        ...{ name: 'waiter', mailbox: { max: 1000, whenFull: 'refuse' }, restart: { times: 0, withinMs: 1 } },
        start: () => 0,
        receive: (running, { at, turns }) => {
          assert.equal(running, 0);
          const handle = async (): Promise<number> => {
            for (let turn = 0; turn < turns; turn += 1) await nextTurn();
            seen.push(at);
            return 0;
          };
          return turns === 0 ? (seen.push(at), 0) : handle();
        },
      });
      waits.forEach((turns, at) => actor.tell({ at, turns }));
      await eventually(() => assert.equal(seen.length, waits.length));
      assert.deepEqual(seen, [...waits.keys()]);
      await system.stop();
    }),
    { numRuns: 30 },
  );
});

test('a full mailbox refuses, and counts what it refused', (t) => {
  const { system } = systemFor(t);
  const actor = system.spawn(recorder([], { mailbox: { max: 2, whenFull: 'refuse' } }));
  assert.deepEqual(
    [1, 2, 3].map(() => actor.tell({ text: 'x' })),
    [{ ok: true }, { ok: true }, { ok: false, reason: 'full' }],
  );
  assert.equal(actor.mailboxSize(), 2);
  assert.equal(system.counters().dropped, 1);
});

test('a full mailbox that drops the oldest keeps the newest in order', async (t) => {
  const { system } = systemFor(t);
  const seen: Seen = [];
  const actor = system.spawn(recorder(seen, { mailbox: { max: 2, whenFull: 'drop-oldest' } }));
  const asked = actor.ask<string>((reply) => ({ text: 'a', reply }), { deadlineMs: 1000 });
  for (const text of ['b', 'c']) assert.deepEqual(actor.tell({ text }), { ok: true });
  assert.deepEqual(await asked, { ok: false, reason: 'full' });
  await eventually(() => assert.deepEqual(seen, ['b0', 'c1']));
  assert.equal(system.counters().dropped, 1);
});

test('a crash costs the message that caused it; the queued ones meet a new state', async (t) => {
  const { system, advance } = systemFor(t);
  const seen: Seen = [];
  const freed: string[] = [];
  const actor = system.spawn(
    recorder(seen, { stop: (handled, reason) => void freed.push(`${handled} ${reason.kind}`) }),
  );
  for (const text of ['a', 'crash', 'b', 'c']) actor.tell({ text });
  await eventually(() => assert.equal(system.counters().failures, 1));
  await eventually(() => (advance(10), assert.deepEqual(seen, ['a0', 'b0', 'c1'])));
  assert.deepEqual(freed, ['1 failed']);
  assert.deepEqual(system.counters(), { actors: 1, deadLetters: 0, dropped: 1, restarts: 1, failures: 1 });
});

test('an actor that fails too often within the window is stopped, and what it had queued is counted', async (t) => {
  const { system, advance } = systemFor(t);
  const actor = system.spawn(recorder([], { restart: { times: 2, withinMs: 60_000 } }));
  for (const text of ['crash', 'crash', 'crash', 'a', 'b']) actor.tell({ text });
  await eventually(() => (advance(100), assert.equal(system.counters().actors, 0)));
  const reason = await actor.stopped;
  assert.equal(reason.kind, 'failed');
  assert.deepEqual(actor.tell({ text: 'late' }), { ok: false, reason: 'stopped' });
  assert.deepEqual(system.counters(), { actors: 0, deadLetters: 3, dropped: 3, restarts: 2, failures: 3 });
});

test('failures outside the window are forgotten', async (t) => {
  const { system, advance } = systemFor(t);
  const actor = system.spawn(recorder([], { restart: { times: 1, withinMs: 1000 } }));
  for (let round = 1; round <= 3; round += 1) {
    actor.tell({ text: 'crash' });
    await eventually(() => (advance(20), assert.equal(system.counters().restarts, round)));
    advance(1000);
  }
});

test('whatever a handler throws, neither the process nor a sibling notices', async (t) => {
  const { system, advance } = systemFor(t);
  const seen: Seen = [];
  const sibling = system.spawn(recorder(seen, { name: 'sibling' }));
  const hostile: readonly unknown[] = [
    undefined,
    null,
    Symbol('x'),
    new Proxy({}, { get: () => assert.fail('trap'), has: () => assert.fail('trap') }),
    Object.defineProperty(new Error('x'), 'message', { get: () => assert.fail('getter') }),
  ];
  for (const [at, thrown] of hostile.entries())
    system
      .spawn<number, undefined>({
        ...{ name: `hostile${at}`, mailbox: { max: 5, whenFull: 'refuse' }, restart: { times: 1, withinMs: 1000 } },
        start: () => undefined,
        receive: (_state, how) => {
          if (how === 0) throw thrown;
          return new Promise((_resolve, reject) => void Promise.reject(thrown as Error).catch(reject));
        },
        stop: () => {
          throw thrown;
        },
      })
      .tell(at % 2);
  await eventually(() => (advance(20), assert.equal(system.counters().restarts, hostile.length)));
  sibling.tell({ text: 'still here' });
  await eventually(() => assert.deepEqual(seen, ['still here0']));
});

test('a start that fails is tried again, and the messages wait for it', async (t) => {
  const { system, advance } = systemFor(t);
  const seen: Seen = [];
  let starts = 0;
  const start = async (): Promise<number> => {
    starts += 1;
    await nextTurn();
    if (starts < 3) throw new Error('not yet');
    return 10;
  };
  system.spawn(recorder(seen, { start })).tell({ text: 'a' });
  await eventually(() => (advance(100), assert.deepEqual(seen, ['a10'])));
});

test('ask gives the reply', async (t) => {
  const { system } = systemFor(t);
  const actor = system.spawn(recorder([]));
  const outcome = await actor.ask<string>((reply) => ({ text: 'a', reply }), { deadlineMs: 1000 });
  assert.deepEqual(outcome, { ok: true, value: 'A' });
});

test('ask says why there is no reply: deadline, crash, end, or a full mailbox', async (t) => {
  const { system, advance } = systemFor(t);
  const ask = (actor: ReturnType<typeof system.spawn<Message, number>>, text: string) =>
    actor.ask<string>((reply) => (text === 'silence' ? { text } : { text, reply }), { deadlineMs: 500 });
  const actor = system.spawn(recorder([], { mailbox: { max: 2, whenFull: 'refuse' } }));
  const late = ask(actor, 'silence');
  const crashed = ask(actor, 'crash');
  assert.deepEqual(await ask(actor, 'a'), { ok: false, reason: 'full' });
  assert.deepEqual(await crashed, { ok: false, reason: 'failed' });
  advance(500);
  assert.deepEqual(await late, { ok: false, reason: 'deadline' });
  const cut = ask(actor, 'silence');
  actor.stop();
  assert.deepEqual(await cut, { ok: false, reason: 'stopped' });
  assert.deepEqual(await ask(actor, 'a'), { ok: false, reason: 'stopped' });
});

test('a reply in the very call, twice, and after the deadline changes nothing', async (t) => {
  const { system, advance } = systemFor(t);
  const replies: ((value: string) => void)[] = [];
  const actor = system.spawn(
    recorder([], { receive: (handled, { reply }) => (reply && replies.push(reply), handled) }),
  );
  const early = await actor.ask<string>((reply) => (reply('early'), { text: 'x', reply }), { deadlineMs: 500 });
  assert.deepEqual(early, { ok: true, value: 'early' });
  const late = actor.ask<string>((reply) => ({ text: 'x', reply }), { deadlineMs: 500 });
  await eventually(() => assert.equal(replies.length, 2));
  advance(500);
  assert.deepEqual(await late, { ok: false, reason: 'deadline' });
  for (const reply of replies) reply('again');
});

test('stop ends the handler first, frees the state once, and leaves the rest as dead letters', async (t) => {
  const { system } = systemFor(t);
  const events: string[] = [];
  let finish: () => void = () => undefined;
  const actor = system.spawn<string, string>({
    ...{ name: 'slow', mailbox: { max: 9, whenFull: 'refuse' }, restart: { times: 0, withinMs: 1 } },
    start: () => 'new',
    receive: async (_state, message) => {
      events.push(`begin ${message}`);
      await new Promise<void>((resolve) => (finish = resolve));
      events.push(`end ${message}`);
      return `after ${message}`;
    },
    stop: (state, reason) => void events.push(`${reason.kind} ${state}`),
  });
  for (const message of ['a', 'b']) actor.tell(message);
  await eventually(() => assert.deepEqual(events, ['begin a']));
  actor.stop();
  actor.stop();
  finish();
  assert.deepEqual(await actor.stopped, { kind: 'stopped' });
  assert.deepEqual(events, ['begin a', 'end a', 'stopped after a']);
  assert.equal(system.counters().deadLetters, 1);
});

test('an actor whose handler hangs is stopped without it after a grace', async (t) => {
  const { system, advance } = systemFor(t);
  const actor = system.spawn(recorder([], { receive: () => new Promise(() => undefined) }));
  actor.tell({ text: 'hang' });
  await eventually(() => assert.equal(actor.mailboxSize(), 0));
  actor.stop();
  await nextTurn();
  advance(2000);
  assert.deepEqual(await actor.stopped, { kind: 'stopped' });
});

test('children stop before their parent, and a crash of the parent starts them anew', async (t) => {
  const { system, advance } = systemFor(t);
  const events: string[] = [];
  const plain = { mailbox: { max: 9, whenFull: 'refuse' }, restart: { times: 1, withinMs: 1000 } } as const;
  const parent = system.spawn<'crash', undefined>({
    ...{ name: 'parent', ...plain },
    start: (self) => {
      self.spawn<never, undefined>({
        ...{ name: 'child', ...plain },
        start: (child) => void events.push(`start ${child.path}`),
        receive: () => undefined,
        stop: () => void events.push('stop child'),
      });
      return undefined;
    },
    receive: () => assert.fail('crash'),
    stop: () => void events.push('stop parent'),
  });
  const started = 'start test/parent/child';
  await eventually(() => assert.deepEqual(events, [started]));
  parent.tell('crash');
  await eventually(() => (advance(10), assert.deepEqual(events, [started, 'stop child', 'stop parent', started])));
  parent.stop();
  await parent.stopped;
  assert.deepEqual(events.slice(4), ['stop child', 'stop parent']);
  assert.equal(system.counters().actors, 0);
});

test('a name is taken while its actor lives and free once it was told to stop', (t) => {
  const { system } = systemFor(t);
  const first = system.spawn(recorder([]));
  assert.throws(() => system.spawn(recorder([])), /test\/recorder: an actor of this name is alive/);
  first.stop();
  system.spawn(recorder([]));
});

test('a message to the old actor never reaches its namesake', async (t) => {
  const { system } = systemFor(t);
  const seen: Seen = [];
  const first = system.spawn(recorder([]));
  first.stop();
  const second = system.spawn(recorder(seen));
  assert.equal(first.tell({ text: 'old' }).ok, false);
  second.tell({ text: 'new' });
  await eventually(() => assert.deepEqual(seen, ['new0']));
});

test('dead letters are all counted and logged at most once a second', async (t) => {
  const clock = fakeClock();
  const lines: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => void lines.push(fields), child: () => log };
  const system = createActorSystem({ name: 'test', clock, log });
  t.after(() => system.stop());
  const actor = system.spawn(recorder([]));
  actor.stop();
  for (let at = 0; at < 100; at += 1) actor.tell({ text: 'x' });
  clock.advance(1000);
  actor.tell({ text: 'x' });
  assert.deepEqual(lines, [{ messages: 1 }, { messages: 100 }]);
  assert.equal(system.counters().deadLetters, 101);
  await actor.stopped;
});

test('a stopped system has no actors and spawns no more', async (t) => {
  const { system } = systemFor(t);
  for (let at = 0; at < 100; at += 1) system.spawn(recorder([], { name: `r${at}` }));
  await system.stop();
  assert.equal(system.counters().actors, 0);
  assert.throws(() => system.spawn(recorder([])), /stopped and spawns no more/);
});

test('one busy actor leaves others their turn', async (t) => {
  const { system } = systemFor(t);
  const seen: Seen = [];
  let spinning = true;
  const busy = system.spawn<'spin', number>({
    ...{ name: 'busy', mailbox: { max: 10, whenFull: 'refuse' }, restart: { times: 0, withinMs: 1 } },
    start: () => 0,
    receive: (count, _message, self) => (spinning && self.tell('spin'), count + 1),
  });
  busy.tell('spin');
  const other = system.spawn(recorder(seen));
  other.tell({ text: 'a' });
  await eventually(() => assert.deepEqual(seen, ['a0']));
  spinning = false;
});
