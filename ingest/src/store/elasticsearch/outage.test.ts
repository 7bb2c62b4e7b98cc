/** The store against servers that are in trouble for long, in virtual time: how often it asks, what goes on beside, and that all ends well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLog } from '@thrum/actors/system/log';
import { fakeClock, type FakeClock } from '@thrum/actors/testing/fake-clock';
import { hostA, originOf, requestOf, sample, scenarioOptions } from '../store-scenario.ts';
import type { Store } from '../store.ts';
import type { Ask, Reply } from './client.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';

type Sent = { readonly atMs: number; readonly indices: readonly string[] };

const linesOf = (ask: Ask): string[] => (ask.lines?.toString() ?? '').split('\n').filter((line) => line !== '');
const indicesOf = (ask: Ask): string[] =>
  linesOf(ask).flatMap((line, i) =>
    i % 2 === 0 ? [(JSON.parse(line) as { create: { _index: string } }).create._index] : [],
  );

const open = (
  answer: (ask: Ask, nowMs: number) => Reply,
  over: { maxHeldBytes?: number } = {},
): { clock: FakeClock; store: Store; bulks: Sent[] } => {
  const clock = fakeClock(Date.UTC(2026, 10, 22, 12));
  const bulks: Sent[] = [];
  const request = (ask: Ask): Promise<Reply> => {
    if (ask.path !== '/_bulk') return Promise.resolve({ ok: true, status: 200, body: {} });
    bulks.push({ atMs: clock.monotonicMs(), indices: indicesOf(ask) });
    return Promise.resolve(answer(ask, clock.monotonicMs()));
  };
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const client = { urls: ['http://simulated:9200'], request, close: () => Promise.resolve() };
  const options = { ...scenarioOptions('elasticsearch:http://simulated:9200'), ...over };
  return { clock, bulks, store: openElasticsearchStore({ ...options, clock, log: silentLog, client, random }) };
};

const pass = async (clock: FakeClock, ms: number, stepMs = 50): Promise<void> => {
  for (let at = 0; at < ms; at += stepMs) {
    clock.advance(stepMs);
    for (let i = 0; i < 3; i += 1) await turn();
  }
};

const close = async (store: Store, clock: FakeClock): Promise<void> => {
  const closing = store.close();
  await pass(clock, 3_000, 500);
  await closing;
};

const all = (ask: Ask, status: number): Reply => ({
  ok: true,
  status: 200,
  body: { items: indicesOf(ask).map(() => ({ create: { status, error: { type: 'scripted', reason: 'so' } } })) },
});
const some = (ask: Ask, statusOf: (index: string) => number): Reply => ({
  ok: true,
  status: 200,
  body: { items: indicesOf(ask).map((index) => ({ create: { status: statusOf(index) } })) },
});

const write = (store: Store, seq: number, atMs: number, target: 'memory' | 'disk' = 'memory') => {
  const one = sample(target, atMs + seq, [seq, seq], target === 'disk' ? ['sda', 'x'] : []);
  const outcome = store.write(requestOf(originOf(hostA, seq), [one]));
  assert.ok(outcome.ok);
  const state = { isDone: false };
  void outcome.done.then(() => (state.isDone = true));
  return state;
};

for (const [name, answer] of [
  ['every document is told 429 (its disk is full)', (ask: Ask) => all(ask, 429)],
  ['every document is told 403', (ask: Ask) => all(ask, 403)],
  ['every bulk is told 503', () => ({ ok: true, status: 503, body: {} })],
  ['every bulk is told 401', () => ({ ok: true, status: 401, body: {} })],
  ['nothing is reached', () => ({ ok: false, reason: 'unreachable', detail: 'refused' })],
  ['every answer is for another number of documents', () => ({ ok: true, status: 200, body: { items: [] } })],
] as [string, (ask: Ask) => Reply][])
  test(`while ${name}, for an hour, it asks once a second at most; afterwards all is stored within ten seconds`, async () => {
    const endMs = 3_600_000;
    const { clock, store, bulks } = open((ask, nowMs) => (nowMs < endMs ? answer(ask) : all(ask, 201)));
    const writes = [];
    for (let seq = 1; seq <= 20; seq += 1) {
      writes.push(write(store, seq, clock.wallMs()));
      await pass(clock, 1_000, 250);
    }
    assert.equal(store.room().isFailing, true);
    const begun = bulks.length;
    await pass(clock, endMs - clock.monotonicMs(), 1_000);
    const perSecond = (bulks.length - begun) / (3_600 - 20);
    assert.ok(perSecond <= 1 && perSecond > 0.1, `${perSecond} bulks a second`);
    assert.equal(
      writes.some((one) => one.isDone),
      false,
    );
    await pass(clock, 10_000);
    assert.ok(writes.every((one) => one.isDone));
    assert.equal(store.room().isFailing, false);
    await close(store, clock);
  });

test('an index that takes nothing for an hour does not hold up the others', async () => {
  const endMs = 3_600_000;
  const isBlocked = (index: string, nowMs: number): boolean => index.includes('-disk-') && nowMs < endMs;
  const { clock, store, bulks } = open((ask, nowMs) => some(ask, (index) => (isBlocked(index, nowMs) ? 403 : 201)));
  const blocked = [];
  let slowestMs = 0;
  for (let seq = 1; seq <= 100; seq += 2) {
    blocked.push(write(store, seq, clock.wallMs(), 'disk'));
    const one = write(store, seq + 1, clock.wallMs());
    const beganMs = clock.monotonicMs();
    while (!one.isDone) await pass(clock, 50);
    slowestMs = Math.max(slowestMs, clock.monotonicMs() - beganMs);
  }
  assert.ok(slowestMs <= 300, `${slowestMs} ms`);
  const begun = bulks.length;
  await pass(clock, endMs - clock.monotonicMs(), 1_000);
  assert.ok(bulks.length - begun <= 3_600);
  assert.equal(
    blocked.some((one) => one.isDone),
    false,
  );
  await pass(clock, 10_000);
  assert.ok(blocked.every((one) => one.isDone));
  await close(store, clock);
});

test('an index that cannot be made does not hold up the others of its bulk', async () => {
  const clock = fakeClock(Date.UTC(2026, 10, 22, 12));
  const request = (ask: Ask): Promise<Reply> => {
    if (ask.path === '/_bulk') return Promise.resolve(all(ask, 201));
    const isRefused = ask.method === 'PUT' && ask.path.includes('-disk-');
    return Promise.resolve({ ok: true, status: isRefused ? 400 : 200, body: {} });
  };
  const client = { urls: ['http://simulated:9200'], request, close: () => Promise.resolve() };
  const store = openElasticsearchStore({ ...scenarioOptions('elasticsearch:x'), clock, client, random: () => 0.5 });
  const disk = write(store, 1, clock.wallMs(), 'disk');
  const memory = write(store, 2, clock.wallMs());
  await pass(clock, 10_000);
  assert.deepEqual([disk.isDone, memory.isDone], [false, true]);
  await close(store, clock);
});

test('with the store away it holds what was said and no more, however many small batches come, and says that it is full', async () => {
  const maxHeldBytes = 8 * 1024 * 1024;
  const { clock, store } = open(() => ({ ok: false, reason: 'unreachable', detail: 'refused' }), { maxHeldBytes });
  let taken = 0;
  for (let seq = 1; ; seq += 1) {
    const one = sample('memory', clock.wallMs() + seq, [seq, seq]);
    if (!store.write(requestOf(originOf(hostA, seq), [one])).ok) break;
    taken += 1;
    if (seq % 50 === 0) await pass(clock, 100);
  }
  const { heldBytes } = store.room();
  assert.ok(heldBytes >= maxHeldBytes && heldBytes < maxHeldBytes * 1.5, `${heldBytes} bytes`);
  assert.ok(taken * 400 > maxHeldBytes, `${taken} documents: most of what is held is documents`);
  await close(store, clock);
});

test('a host whose samples are all refused leaves 20,000 dead letters, the others are counted; all are at their end', async () => {
  const { clock, store, bulks } = open((ask) => all(ask, 201));
  let ended = 0;
  for (let seq = 1; seq <= 25; seq += 1) {
    const samples = Array.from({ length: 1_000 }, (_, i) => sample('unknown', clock.wallMs() - i, [i, i]));
    const outcome = store.write(requestOf(originOf(hostA, seq), samples));
    assert.ok(outcome.ok);
    void outcome.done.then((result) => (ended += result.ok ? (result.refused[0]?.samples ?? 0) : 0));
  }
  await pass(clock, 5_000);
  assert.equal(ended, 25_000);
  const counters = store.counters();
  assert.deepEqual([counters['store_dead_letters_stored'], counters['store_dead_letters_left_out']], [20_000, 5_000]);
  assert.ok(bulks.every(({ indices }) => indices.every((name) => name === 'thrum-refused-2026.11')));
  await close(store, clock);
});
