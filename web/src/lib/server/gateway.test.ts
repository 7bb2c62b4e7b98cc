import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { decodeOverviewFrame } from '@thrum/actors/wire/frame';
import type { HistoryOutcome, Question } from '@thrum/actors/wire/question';
import { storeKey, storeTopic } from '@thrum/actors/wire/store-state';
import {
  entryOf,
  frameOf,
  hostId,
  openTab,
  overviewOf,
  snapshotOf,
  startIngest,
  startWeb,
} from './scripted-mesh.contract.ts';
import { pacingLimits } from './pacing.ts';
import { tabLimits } from './tab-actor.ts';

const question = (fromMs = 0): Question => ({
  target: 'cpu',
  metrics: ['usage'],
  host: hostId(1),
  fromMs,
  toMs: fromMs + 1000,
  points: 10,
  aggregate: 'avg',
});

test('a tab is greeted with everything the overview shows', async (t) => {
  const ingest = await startIngest(t);
  const nowMs = Date.now();
  ingest.answers.overview = () => ({ frames: [overviewOf(1, nowMs - 2000), overviewOf(1, nowMs - 1000)] });
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest);
  await eventually(() => web.counters()['web_overview_bytes'] !== 0 && web.counters()['web_roster_entries'] === 1);
  const greeting = await openTab(t, web.url).greeted();
  assert.deepEqual(
    greeting.roster.map((entry) => entry.machine.name),
    ['web-1.example.net'],
  );
  assert.deepEqual(
    greeting.ingest.map((node) => node.name),
    ['ingest-a'],
  );
  const [minute, last] = greeting.overview.map((bytes) => decodeOverviewFrame(new Uint8Array(bytes)) ?? []);
  assert.deepEqual(
    minute?.map((row) => row.sampleMs),
    [nowMs - 2000, nowMs - 1000],
  );
  assert.equal(last?.length, 1);
  assert.ok((last[0]?.ageMs ?? 0) >= 900, 'its age is that of now');
});

test('a watched host comes as its snapshot and then its frames, asked and subscribed once for two tabs', async (t) => {
  const ingest = await startIngest(t);
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest);
  const [one, two] = [openTab(t, web.url), openTab(t, web.url)];
  await eventually(() => one.states.size === 1 && two.states.size === 1);
  assert.deepEqual(await one.watch(hostId(1)), { ok: true });
  await eventually(() => ingest.interest.get(`host/${hostId(1)}`) === true && one.got.includes('snapshot'));
  ingest.frame(1, frameOf(1, 2));
  await eventually(() => one.got.includes('frame 2'));
  await two.watch(hostId(1));
  await eventually(() => two.got.includes('snapshot'));
  ingest.frame(1, frameOf(1, 3));
  await eventually(() => one.got.includes('frame 3') && two.got.includes('frame 3'));
  assert.deepEqual(
    one.got.filter((what) => what !== 'beat'),
    ['snapshot', 'frame 2', 'frame 3'],
  );
  assert.equal(ingest.asked.snapshot, 1);
  await one.watch(null);
  ingest.frame(1, frameOf(1, 4));
  await eventually(() => two.got.includes('frame 4'));
  assert.ok(!one.got.includes('frame 4'));
});

test('when an ingest node is lost its hosts are reconnecting at once, and go on with the node they connect to', async (t) => {
  const first = await startIngest(t, 'ingest-a');
  const second = await startIngest(t, 'ingest-b', [first.address]);
  first.roster(entryOf(first.id, 1, 5));
  const web = await startWeb(t, first);
  const tab = openTab(t, web.url);
  await eventually(() => tab.states.get(hostId(1)) === 'connected ingest-a' && tab.tab.ingest.length === 2);
  await tab.watch(hostId(1));
  await eventually(() => tab.got.includes('snapshot'));
  await first.stop();
  await eventually(() => tab.states.get(hostId(1)) === 'reconnecting ingest-a' && tab.tab.ingest.length === 1);
  second.answers.snapshot = () => ({ ok: true, gzip: false, bytes: snapshotOf(1, 40) });
  second.roster(entryOf(second.id, 1, 9));
  await eventually(() => tab.states.get(hostId(1)) === 'connected ingest-b');
  await eventually(() => tab.got.filter((what) => what === 'snapshot').length === 2);
  second.frame(1, frameOf(1, 41));
  await eventually(() => tab.got.includes('frame 41'));
});

test('a store that does not answer is said of the ingest node that misses it, until it answers or the node is gone', async (t) => {
  const first = await startIngest(t, 'ingest-a');
  const second = await startIngest(t, 'ingest-b', [first.address]);
  first.store({ awaySinceMs: 1234 });
  second.store({ awaySinceMs: null });
  const web = await startWeb(t, first);
  const tab = openTab(t, web.url);
  const away = () => tab.tab.ingest.map((node) => [node.name, node.storeAwaySinceMs]).sort();
  await eventually(() =>
    assert.deepEqual(away(), [
      ['ingest-a', 1234],
      ['ingest-b', null],
    ]),
  );
  second.store({ awaySinceMs: 5678 });
  await eventually(() =>
    assert.deepEqual(away(), [
      ['ingest-a', 1234],
      ['ingest-b', 5678],
    ]),
  );
  first.store({ awaySinceMs: null });
  await eventually(() =>
    assert.deepEqual(away(), [
      ['ingest-a', null],
      ['ingest-b', 5678],
    ]),
  );
  first.topics.publish(storeTopic, new Uint8Array([1]), { key: storeKey });
  await eventually(() => web.counters()['web_store_states_malformed'] === 1);
  await second.stop();
  await eventually(() => assert.deepEqual(away(), [['ingest-a', null]]));
  const greeting = await openTab(t, web.url).greeted();
  assert.deepEqual(greeting.ingest, [{ id: 'ingest-a', name: 'ingest-a', storeAwaySinceMs: null }]);
});

test('a tab goes on at another web node when its own is gone, which knows nothing of it', async (t) => {
  const ingest = await startIngest(t);
  ingest.roster(entryOf(ingest.id, 1, 5));
  const webs = [await startWeb(t, ingest, { id: 'web-a' }), await startWeb(t, ingest, { id: 'web-b' })] as const;
  const tab = openTab(t, webs[0].url, { reconnects: true });
  await eventually(() => tab.states.size === 1);
  await tab.watch(hostId(1));
  await eventually(() => tab.got.includes('snapshot'));
  await webs[0].stop();
  await eventually(() => !tab.socket.connected);
  assert.equal(tab.refusals[0]?.code, 'leaving');
  // What a balancer does: the next connection reaches the node that lives.
  const next = openTab(t, webs[1].url);
  assert.equal((await next.greeted()).node, 'web-b');
  await next.watch(hostId(1));
  await eventually(() => next.got.includes('snapshot'));
  ingest.frame(1, frameOf(1, 2));
  await eventually(() => next.got.includes('frame 2'));
});

test('questions are answered in their order, and what is no question is refused while the connection goes on', async (t) => {
  const ingest = await startIngest(t);
  const web = await startWeb(t, ingest);
  const tab = openTab(t, web.url);
  await tab.greeted();
  const ask = (one: unknown): Promise<HistoryOutcome> => tab.socket.emitWithAck('ask', one) as Promise<HistoryOutcome>;
  const good = await ask(question());
  assert.deepEqual(good.ok && good.series, [{ fields: [], values: [[1, null]] }]);
  const bad = await ask({ ...question(), points: 0 });
  assert.equal(!bad.ok && bad.code, 'bad-question');
  assert.equal((await ask(question(7))).ok, true);
});

test('a question for events reaches an ingest node as it was asked, and a wrong one does not', async (t) => {
  const ingest = await startIngest(t);
  const events = [{ kind: 'stop', id: 's1', timeMs: 900, facts: { produced: 3 } }];
  const asked: unknown[] = [];
  ingest.answers.history = (one) => {
    asked.push(one);
    return { ok: true, events, more: false };
  };
  const web = await startWeb(t, ingest);
  const tab = openTab(t, web.url);
  await tab.greeted();
  const wanted = { ask: 'events', host: hostId(1), kinds: ['stop', 'gap'], fromMs: 0, toMs: 1000, max: 5 };
  assert.deepEqual(await tab.socket.emitWithAck('ask', wanted), { ok: true, events, more: false });
  for (const wrong of [{ max: 5000 }, { ask: 'else' }, { host: 'x' }, { kinds: ['Ä'] }, { fromMs: 1000 }]) {
    const answer = (await tab.socket.emitWithAck('ask', { ...wanted, ...wrong })) as HistoryOutcome;
    assert.equal(!answer.ok && answer.code, 'bad-question', JSON.stringify(wrong));
  }
  assert.deepEqual(asked, [wanted]);
});

test('of too many questions at once the last are refused as busy', async (t) => {
  const ingest = await startIngest(t);
  const release: (() => void)[] = [];
  const answer = ingest.answers.history;
  ingest.answers.history = (one) => new Promise((resolve) => release.push(() => resolve(answer(one))));
  const web = await startWeb(t, ingest);
  const tab = openTab(t, web.url);
  await tab.greeted();
  const asked = Array.from({ length: tabLimits.maxWaiting + 2 }, (_, i) =>
    tab.socket.emitWithAck('ask', question(i * 10)),
  ) as Promise<HistoryOutcome>[];
  const last = await asked.at(-1);
  assert.equal(last && !last.ok && last.code, 'busy');
  await eventually(() => release.length === 1);
  assert.equal(ingest.asked.history, 1, 'one question is under way at a time');
  for (let i = 0; i < tabLimits.maxWaiting + 1; i += 1) {
    await eventually(() => release.length > i);
    release[i]?.();
  }
  assert.deepEqual(
    (await Promise.all(asked)).map((one) => one.ok),
    [...Array.from({ length: tabLimits.maxWaiting + 1 }, () => true), false],
  );
});

test('without an ingest node a question is refused, and a watched host too', async (t) => {
  const ingest = await startIngest(t);
  const web = await startWeb(t, ingest);
  const tab = openTab(t, web.url);
  await tab.greeted();
  await ingest.stop();
  await eventually(() => tab.tab.ingest.length === 0);
  const answer = (await tab.socket.emitWithAck('ask', question())) as HistoryOutcome;
  assert.equal(!answer.ok && answer.code, 'no-ingest');
  await tab.watch(hostId(1));
  await eventually(() => tab.got.includes('unknown-host'));
});

test('a quiet connection beats once a second', async (t) => {
  const clock = fakeClock();
  const ingest = await startIngest(t);
  const web = await startWeb(t, ingest, { clock });
  const tab = openTab(t, web.url);
  await tab.greeted();
  for (let i = 1; i <= 3; i += 1) {
    clock.advance(1000);
    await eventually(() => tab.got.filter((what) => what === 'beat').length === i);
  }
});

/** Stops reading from the socket, as a laptop that was closed does. */
const stopReading = (t: TestContext, tab: ReturnType<typeof openTab>): void => {
  type Ws = { terminate(): void; _socket: { pause(): void } };
  const { ws } = (tab.socket.io.engine as unknown as { transport: { ws: Ws } }).transport;
  ws._socket.pause();
  t.after(() => ws.terminate());
};

test('a tab that does not read costs a bounded queue and is closed, and others see every frame', async (t) => {
  const width = 8000;
  const clock = fakeClock();
  const ingest = await startIngest(t);
  ingest.answers.snapshot = () => ({ ok: true, gzip: false, bytes: snapshotOf(1, 1, 1, width) });
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest, { clock });
  const [slow, quick] = [openTab(t, web.url), openTab(t, web.url)];
  await Promise.all([slow.greeted(), quick.greeted()]);
  clock.advance(1000);
  for (const tab of [slow, quick]) {
    await eventually(() => web.counters()['web_roster_entries'] === 1);
    await tab.watch(hostId(1));
    await eventually(() => tab.got.includes('snapshot'));
  }
  stopReading(t, slow);
  let largest = 0;
  let seq = 1;
  while ((web.counters()['web_frames_skipped'] ?? 0) < 50) {
    seq += 1;
    ingest.frame(1, frameOf(1, seq, 1, width));
    const awaited = `frame ${seq}`;
    await eventually(() => quick.got.includes(awaited));
    largest = Math.max(largest, web.counters()['web_queued_bytes_max'] ?? 0);
    assert.ok(seq < 5000, 'the system took 160 MB for a reader that does not read');
  }
  assert.ok(largest > pacingLimits.easyBytes && largest <= pacingLimits.maxQueuedBytes, `${largest} bytes waited`);
  assert.equal(quick.got.filter((what) => what.startsWith('frame')).length, seq - 1);
  assert.equal(web.tabs(), 2);
  clock.advance(pacingLimits.patienceMs + 2000);
  await eventually(() => web.tabs() === 1);
  assert.equal(web.counters()['web_tabs_too_slow'], 1);
});

test('tabs that come all at once are each greeted once, and hear of every change after it', async (t) => {
  const ingest = await startIngest(t);
  for (let n = 1; n <= 20; n += 1) ingest.roster(entryOf(ingest.id, n, 5));
  const web = await startWeb(t, ingest);
  await eventually(() => web.counters()['web_roster_entries'] === 20);
  const tabs = Array.from({ length: 50 }, () => openTab(t, web.url));
  let attempt = 5;
  while (!tabs.every((tab) => tab.greetings.length > 0)) {
    attempt += 1;
    ingest.roster({ ...entryOf(ingest.id, 1, attempt), connection: attempt % 2 === 0 ? 'silent' : 'connected' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  ingest.roster({ ...entryOf(ingest.id, 1, attempt + 1), connection: 'left' });
  await eventually(() => tabs.every((tab) => tab.states.get(hostId(1)) === `left ${ingest.id}`));
  assert.ok(tabs.every((tab) => tab.greetings.length === 1 && tab.states.size === 20));
  assert.equal(web.counters()['web_tabs_ungreeted'], 0);
});
