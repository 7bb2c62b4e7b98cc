/** What a broken or hostile browser may send, and that it costs nobody else anything. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import type { Log } from '@thrum/actors/system/log';
import { silentLog } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { seededRandom } from '@thrum/actors/testing/random';
import { limits } from '@thrum/actors/wire/limits';
import { refusals, refuse, type Refusal, type RefusalCode } from '@thrum/actors/wire/refusal';
import { createCounters } from './counters.ts';
import { gatewayLimits } from './gateway.ts';
import { createHostWatches } from './host-watches.ts';
import { messageRate } from './message-rate.ts';
import { cookieOf, entryOf, frameOf, hostId, openTab, startIngest, startWeb } from './scripted-mesh.contract.ts';
import { tabActor } from './tab-actor.ts';
import { createTabOutlet } from './tab-outlet.ts';

const watchMessage = { host: hostId(1) };
const askMessage = {
  target: 'cpu',
  metrics: ['usage', 'user'],
  host: hostId(1),
  fromMs: 0,
  toMs: 1000,
  points: 10,
  aggregate: 'avg',
  fields: ['total'],
};

const eventsMessage = { ask: 'events', host: hostId(1), kinds: ['gap', 'start'], fromMs: 0, toMs: 1000, max: 10 };

/** A tab that looks at host 1 and must notice nothing of what others do. */
const startWitness = async (t: TestContext, log?: Log) => {
  const ingest = await startIngest(t);
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest, log ? { log } : {});
  const witness = openTab(t, web.url);
  await eventually(() => witness.states.size === 1);
  await witness.watch(hostId(1));
  await eventually(() => witness.got.includes('snapshot'));
  let seq = 1;
  const isUnharmed = async (): Promise<void> => {
    seq += 1;
    const expected = `frame ${seq}`;
    ingest.frame(1, frameOf(1, seq));
    await eventually(() => witness.got.includes(expected));
    assert.equal(witness.socket.connected, true);
  };
  return { ingest, web, isUnharmed };
};

test('every message that breaks the rules is refused with its code and closes that connection alone', async (t) => {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => warnings.push(message), child: () => log };
  const { web, isUnharmed } = await startWitness(t, log);
  const reply = (): void => undefined;
  const cases: { code: RefusalCode; send: readonly unknown[] }[] = [
    { code: 'malformed', send: ['no-such-event'] },
    { code: 'malformed', send: ['error', 'an event that ends a careless process'] },
    { code: 'malformed', send: ['watch'] },
    { code: 'malformed', send: ['watch', watchMessage] },
    { code: 'malformed', send: ['watch', watchMessage, 'no function'] },
    { code: 'malformed', send: ['watch', { host: 'x' }, reply] },
    { code: 'malformed', send: ['watch', { host: 7 }, reply] },
    { code: 'malformed', send: ['watch', {}, reply] },
    { code: 'malformed', send: ['watch', null, reply] },
    { code: 'malformed', send: ['watch', watchMessage, watchMessage, reply] },
    { code: 'malformed', send: ['ask', 'what?', reply] },
    { code: 'malformed', send: ['ask', askMessage] },
    { code: 'malformed', send: ['__proto__', { constructor: 1 }, reply] },
    { code: 'malformed', send: ['watch', Buffer.alloc(100), reply] },
    { code: 'too-large', send: ['watch', { host: 'x'.repeat(limits.maxBrowserMessageBytes) }, reply] },
    { code: 'too-large', send: ['watch', Buffer.alloc(limits.maxBrowserMessageBytes + 1), reply] },
  ];
  for (const { code, send } of cases) {
    const tab = openTab(t, web.url);
    await tab.greeted();
    const [event = '', ...args] = send;
    tab.socket.emit(event as string, ...args);
    await eventually(() => !tab.socket.connected);
    assert.deepEqual([String(event), tab.refusals[0]?.code], [String(event), code]);
  }
  await isUnharmed();
  await eventually(() => web.tabs() === 1);
  assert.equal(web.counters()['web_tabs_refused'], cases.length - 2);
  assert.equal(web.counters()['web_messages_too_large'], 2);
  assert.equal(warnings.filter((one) => one.includes('broke the rules')).length, 1, 'logged once, counted always');
});

test('hostile browsers are logged at most once a minute for each code, and counted every time', async (t) => {
  const logged: string[] = [];
  const note = (fields: object): void => void logged.push('code' in fields ? String(fields.code) : 'too-large');
  const log: Log = { ...silentLog, warn: note, child: () => log };
  const clock = fakeClock();
  const web = await startWeb(t, await startIngest(t), { log, clock });
  const misbehave = async (event: string, message: unknown): Promise<void> => {
    const tab = openTab(t, web.url);
    await tab.greeted();
    tab.socket.emit(event, message);
    await eventually(() => !tab.socket.connected);
  };
  const knock = async (): Promise<void> => {
    let refused = false;
    openTab(t, web.url, { headers: { origin: 'https://evil.example' } }).socket.on(
      'connect_error',
      () => (refused = true),
    );
    await eventually(() => refused);
  };
  const everything = async (): Promise<void> => {
    for (let i = 0; i < 3; i += 1) {
      await misbehave('no-such-event', i);
      await misbehave('watch', 'x'.repeat(limits.maxBrowserMessageBytes));
      await knock();
    }
  };
  const once = ['malformed', 'too-large', 'wrong-origin'];
  await everything();
  assert.deepEqual(logged.splice(0).sort(), once);
  clock.advance(59_999);
  await everything();
  assert.deepEqual(logged, []);
  clock.advance(1);
  await everything();
  assert.deepEqual(logged.sort(), once);
  const counts = web.counters();
  assert.deepEqual(
    [counts['web_tabs_refused'], counts['web_messages_too_large'], counts['web_connections_refused']],
    [9, 9, 9],
  );
});

test('a message beyond every limit is cut off by the socket itself', async (t) => {
  const { web, isUnharmed } = await startWitness(t);
  const tab = openTab(t, web.url);
  await tab.greeted();
  tab.socket.emit('watch', { host: 'x'.repeat(gatewayLimits.maxReadBytes + 1) }, () => undefined);
  await eventually(() => !tab.socket.connected && web.tabs() === 1);
  await isUnharmed();
});

test('a flood of messages is refused as too fast', async (t) => {
  const { web, isUnharmed } = await startWitness(t);
  const tab = openTab(t, web.url);
  await tab.greeted();
  for (let i = 0; i < messageRate.burst * 3; i += 1) tab.socket.emit('watch', { host: null }, () => undefined);
  await eventually(() => !tab.socket.connected);
  assert.equal(tab.refusals[0]?.code, 'too-fast');
  await isUnharmed();
});

test('a tab that leaves without hanging up is hung up on: it cannot come again and again by one connection', async (t) => {
  const { web, isUnharmed } = await startWitness(t);
  const tab = openTab(t, web.url);
  await tab.greeted();
  const { engine } = tab.socket.io;
  const isClosed = (): boolean => engine.readyState === 'closed';
  // As the client's own library never does: away from the namespace and back, on the same connection.
  for (let i = 0; i < 20 && !isClosed(); i += 1)
    for (const [packet, tabs] of [
      ['1', 1],
      ['0', 2],
    ] as const) {
      engine.write(packet);
      await eventually(() => isClosed() || web.tabs() === tabs);
    }
  await eventually(isClosed);
  await eventually(() => web.tabs() === 1);
  assert.ok((web.counters()['web_tabs_opened'] ?? 0) <= 3, `${web.counters()['web_tabs_opened']} tabs`);
  await isUnharmed();
});

test('a page of another site, and a name of another site, are not let in', async (t) => {
  const { web, isUnharmed } = await startWitness(t);
  const strangers = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { host: 'evil.example' },
    { host: 'evil.example', origin: 'http://evil.example' },
    { origin: 'http://localhost:5173' },
  ];
  for (const headers of strangers) {
    const tab = openTab(t, web.url, { headers });
    let refused = false;
    tab.socket.on('connect_error', () => (refused = true));
    await eventually(() => refused);
    assert.equal(tab.greetings.length, 0);
  }
  assert.equal(web.counters()['web_connections_refused'], strangers.length);
  const known = { host: 'thrum.example.org', origin: 'https://thrum.example.org' };
  await openTab(t, web.url, { headers: known }).greeted();
  await openTab(t, web.url, { headers: { origin: web.url } }).greeted();
  await isUnharmed();
});

/** One WebSocket that speaks engine.io by hand: sends `packets` after the handshake and waits for its end. */
const speakRaw = (url: string, packets: readonly string[]): Promise<void> =>
  new Promise((resolve) => {
    // Node's takes headers, which a browser's does not.
    const options = { headers: { cookie: cookieOf(url) } } as unknown as string[];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, options);
    let rest = [...packets];
    socket.onmessage = () => {
      for (const packet of rest) socket.send(packet);
      // What the server does not mind is ended by a packet that it must.
      if (rest.length > 0) socket.send('this is no packet');
      rest = [];
    };
    socket.onclose = () => resolve();
    socket.onerror = () => undefined;
  });

test('mutated packets end their own connection and nothing else', async (t) => {
  const { web, isUnharmed } = await startWitness(t);
  const random = seededRandom(11);
  const whole = [
    `42["watch",${JSON.stringify(watchMessage)}]`,
    `421["watch",${JSON.stringify(watchMessage)}]`,
    `422["ask",${JSON.stringify(askMessage)}]`,
    '451-["watch",{"_placeholder":true,"num":0}]',
    '40/admin,',
    '41',
    '431[{"ok":true}]',
  ];
  for (let i = 0; i < 300; i += 1) {
    const source = whole[Math.floor(random() * whole.length)] ?? '';
    await speakRaw(web.url, random() < 0.7 ? ['40', mutateText(source, random)] : [mutateText(source, random)]);
  }
  await isUnharmed();
  await eventually(() => web.tabs() === 1);
});

const mutateText = (text: string, random: () => number): string => {
  let mutated = text;
  for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits -= 1) {
    const at = Math.floor(random() * (mutated.length + 1));
    const kind = random();
    if (kind < 0.4) mutated = mutated.slice(0, at) + String.fromCharCode(1 + random() * 300) + mutated.slice(at + 1);
    else if (kind < 0.6) mutated = mutated.slice(0, at) + mutated.slice(at + 1 + random() * 5);
    else if (kind < 0.8) mutated = mutated.slice(0, at) + mutated.slice(Math.floor(random() * mutated.length));
    else mutated = mutated.slice(0, at);
  }
  return mutated;
};

const junk: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 60,
  '',
  'x'.repeat(1000),
  hostId(2),
  [],
  {},
  [[]],
  ['total'],
  true,
  new Uint8Array(3),
  { toString: 'not a function' },
  { length: 10 },
  Object.create(null),
];

/** One property somewhere replaced, removed or added; or the whole replaced. */
const mutateValue = (value: unknown, random: () => number): unknown => {
  const anything = (): unknown => junk[Math.floor(random() * junk.length)];
  if (typeof value !== 'object' || value === null || random() < 0.1) return anything();
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  const keys = Object.keys(copy);
  const key = keys[Math.floor(random() * keys.length)] ?? 'host';
  const kind = random();
  if (kind < 0.6) copy[key] = anything();
  else if (kind < 0.8) Reflect.deleteProperty(copy, key);
  else if (kind < 0.9) copy[`${key}x`] = anything();
  else copy[key] = mutateValue(copy[key], random);
  return copy;
};

test('twenty thousand mutated messages are each answered or refused, and the actor never fails', async () => {
  const random = seededRandom(20);
  const clock = fakeClock();
  const system = createActorSystem({ name: 'hostile', clock, log: silentLog });
  const counters = createCounters();
  const watches = createHostWatches({
    clock,
    counters,
    owner: () => undefined,
    ask: () => Promise.resolve(refuse('host-away')),
    subscribe: () => () => undefined,
    watchServer: () => () => undefined,
  });
  const history = { ask: () => Promise.resolve(refuse('no-ingest')) };
  const present = {
    nowMs: () => clock.monotonicMs(),
    serverMs: () => 0,
    overview: () => new Uint8Array(0),
    roster: () => undefined,
    ingest: () => [],
  };
  const parts = { watches, history, counters, clock, log: silentLog };
  let answered = 0;
  let closed = 0;
  for (let tab = 0; tab < 400; tab += 1) {
    const refused: Refusal[] = [];
    const connection = { queuedBytes: () => 0, emit: () => undefined, close: (one: Refusal) => void refused.push(one) };
    const outlets: ReturnType<typeof createTabOutlet>[] = [];
    const states = Array.from({ length: 50 }, (_, i) => {
      const outlet = createTabOutlet(connection, present, counters);
      outlets.push(outlet);
      const actor = system.spawn(tabActor({ ...parts, id: `${tab}-${i}`, outlet }));
      const replies: unknown[] = [];
      const isAsk = random() < 0.5;
      const message = mutateValue(isAsk ? (random() < 0.5 ? askMessage : eventsMessage) : watchMessage, random);
      const reply = random() < 0.95 ? (answer: unknown): void => void replies.push(answer) : junk[i % junk.length];
      actor.tell({ kind: 'event', name: isAsk ? 'ask' : 'watch', args: [message, reply] });
      return { actor, outlet, replies };
    });
    await eventually(() => states.every((one) => one.replies.length > 0 || one.outlet.isClosed()));
    for (const { actor, outlet, replies } of states) {
      if (outlet.isClosed()) closed += 1;
      else answered += 1;
      assert.ok(replies.length <= 1);
      actor.stop();
    }
    for (const one of refused) assert.ok(one.code in refusals);
    await Promise.all(states.map(({ actor }) => actor.stopped));
  }
  assert.equal(answered + closed, 20_000);
  assert.ok(answered > 5000 && closed > 2000, `${answered} answered, ${closed} closed`);
  assert.equal(system.counters().failures, 0);
  watches.close();
  await system.stop();
});
