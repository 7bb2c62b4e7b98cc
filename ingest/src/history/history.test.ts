import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { systemClock } from '@thrum/actors/system/clock';
import type { HistoryOutcome } from '@thrum/actors/wire/question';
import { refuse } from '@thrum/actors/wire/refusal';
import { openStore } from '../store/open-store.ts';
import type { Store, StoreAnswer, StoreQuestion } from '../store/store.ts';
import {
  hostA,
  originOf,
  requestOf,
  sample,
  scenarioCatalogue,
  scenarioOptions,
  written,
} from '../store/store-scenario.ts';
import { startHistory, type History } from './history.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'thrum-history-'));
const minuteMs = 60_000;
const startMs = Math.floor((Date.now() - 30 * minuteMs) / minuteMs) * minuteMs;
let store: Store;
let history: History;

before(async () => {
  store = await openStore(scenarioOptions(`duckdb:${path.join(directory, 'thrum.duckdb')}`));
  history = startHistory({ store, catalogue: scenarioCatalogue, clock: systemClock });
  const samples = Array.from({ length: 120 }, (_, i) => {
    // the counter begins again after a minute, and nothing is measured from second 80 to 99
    const reads = i < 60 ? 1_000_000 + i * 10 : (i - 60) * 20;
    return i >= 80 && i < 100 ? [] : [sample('disk', startMs + i * 1000, [reads, i], ['sda', 'x'])];
  });
  await written(store, requestOf(originOf(hostA, 1), samples.flat()));
});
after(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What is answered to a question for samples. */
const answered = async (of: History, about: unknown): Promise<HistoryOutcome> => {
  const outcome = await of.ask(about);
  assert.ok(!('events' in outcome));
  return outcome;
};

const question = (over: object = {}): object => ({
  target: 'disk',
  metrics: ['reads', 'busy'],
  host: hostA,
  fromMs: startMs,
  toMs: startMs + 2 * minuteMs,
  points: 12,
  aggregate: 'max',
  ...over,
});

test('gauges are answered as they are and counters as rates that survive a reset and a gap', async () => {
  const answer = await answered(history, question());
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.deepEqual([answer.startMs, answer.bucketMs, answer.leftOut], [startMs, 10_000, 0]);
  assert.deepEqual(answer.series, [
    {
      fields: ['sda', 'x'],
      values: [
        [null, 10, 10, 10, 10, 10, null, 20, null, null, 20, 20],
        [9, 19, 29, 39, 49, 59, 69, 79, null, null, 109, 119],
      ],
    },
  ]);
});

test('the first bucket has a rate when there was a value before it', async () => {
  const answer = await answered(
    history,
    question({ metrics: ['reads'], fromMs: startMs + 20_000, toMs: startMs + 40_000, points: 2 }),
  );
  assert.ok(answer.ok);
  assert.deepEqual(answer.series[0]?.values, [[10, 10]]);
});

test('the answer keeps the order of the metrics asked for and repeats the question', async () => {
  const asked = question({ metrics: ['busy', 'reads'], fields: ['sda', 'x'], points: 2, toMs: startMs + minuteMs });
  const answer = await answered(history, asked);
  assert.ok(answer.ok);
  assert.deepEqual(answer.question, asked);
  assert.deepEqual(answer.series[0]?.values, [
    [29, 59],
    [null, 10],
  ]);
});

test('a series that has samples only before the range is not answered', async () => {
  const answer = await answered(
    history,
    question({ fromMs: startMs + 3 * minuteMs - 30_000, toMs: startMs + 4 * minuteMs }),
  );
  assert.deepEqual(answer.ok && answer.series, []);
});

for (const [name, over, code] of [
  ['an unknown target', { target: 'toaster' }, 'unknown-target'],
  ['an unknown metric', { metrics: ['busy', 'heat'] }, 'unknown-metric'],
  ['the wrong number of fields', { fields: ['sda'] }, 'bad-question'],
  ['a range that ends before it begins', { toMs: startMs - 1 }, 'bad-question'],
  ['no number of points', { points: undefined }, 'bad-question'],
  ['too many points', { points: 100_000 }, 'bad-question'],
  ['a host that is none', { host: "x' OR 1=1" }, 'bad-question'],
] as const)
  test(`a question with ${name} is refused: ${code}`, async () => {
    const outcome = await history.ask(question(over));
    assert.equal(!outcome.ok && outcome.code, code);
  });

test('events are answered through the same door, newest first', async () => {
  const events = [1, 2].map((n) => ({ id: `e${n}`, kind: 'gap', timeMs: startMs + n, facts: { reason: 'full' } }));
  const outcome = store.writeEvents({ origin: originOf(hostA, 2), events });
  assert.ok(outcome.ok);
  await outcome.done;
  const about = { ask: 'events', host: hostA, fromMs: startMs, toMs: startMs + 10, max: 10 };
  assert.deepEqual(await history.ask(about), { ok: true, events: events.toReversed(), more: false });
  for (const wrong of [{ ask: 'samples' }, { host: 'x' }, { max: 0 }, { max: 201 }, { kinds: [] }, { toMs: startMs }]) {
    const refused = await history.ask({ ...about, ...wrong });
    assert.equal(!refused.ok && refused.code, 'bad-question', JSON.stringify(wrong));
  }
});

test('something that is no question at all is refused', async () => {
  for (const input of [undefined, null, 7, 'disk', [], {}, new Uint8Array(3)]) {
    const outcome = await history.ask(input);
    assert.equal(!outcome.ok && outcome.code, 'bad-question');
  }
});

test('a question for very many numbers gets fewer series, so that no answer holds up a node or outgrows a link', async () => {
  const asked: StoreQuestion[] = [];
  const store = {
    askEvents: () => Promise.resolve(refuse('store-away')),
    ask: (one: StoreQuestion): Promise<StoreAnswer> => {
      asked.push(one);
      return Promise.resolve({ ok: true, series: [], startMs: 0, leftOut: 95 });
    },
  };
  const bounded = startHistory({ store, catalogue: scenarioCatalogue, clock: fakeClock() });
  const wide = { metrics: new Array<string>(50).fill('busy'), points: 2000, toMs: startMs + 4_000_000 };
  const answer = await answered(bounded, question(wide));
  assert.equal(answer.ok && answer.leftOut, 95);
  await bounded.ask(question({ toMs: startMs + 2000 * minuteMs, points: 1000 }));
  assert.deepEqual(
    asked.map((one) => one.maxSeries),
    [5, 100, 100],
  );
});

test('so many questions at once, so many waiting, the next is told that it is busy; who waited too long is told so', async () => {
  const clock = fakeClock();
  const given: ((answer: StoreAnswer) => void)[] = [];
  const deadlines: number[] = [];
  const slow = {
    askEvents: () => Promise.resolve(refuse('store-away')),
    ask: (_: unknown, options: { deadlineMs: number }) => {
      deadlines.push(options.deadlineMs);
      return new Promise<StoreAnswer>((resolve) => void given.push(resolve));
    },
  };
  const small = startHistory({
    store: slow,
    catalogue: scenarioCatalogue,
    clock,
    deadlineMs: 5000,
    maxAtOnce: 2,
    maxWaiting: 2,
  });
  const asked = [1, 2, 3, 4].map(() => small.ask(question({ metrics: ['busy'] })));
  assert.equal(small.counters()['history_questions_waiting'], 2);
  const outcome = await small.ask(question({ metrics: ['busy'] }));
  assert.equal(!outcome.ok && outcome.code, 'busy');
  const empty: StoreAnswer = { ok: true, series: [], startMs: 0, leftOut: 0 };
  clock.advance(2000);
  given[0]?.(empty);
  assert.equal((await asked[0])?.ok, true);
  assert.equal(deadlines.length, 3);
  assert.equal(deadlines[2], 3000);
  clock.advance(3000);
  given[1]?.(empty);
  given[2]?.(empty);
  const last = await asked[3];
  assert.equal(last?.ok === false && last.code, 'deadline');
  assert.equal(deadlines.length, 3);
});
