import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import type { PastQuestion } from '@thrum/actors/wire/browser-to-web';
import type { EventQuestion } from '@thrum/actors/wire/event-question';
import type { Answer, Question } from '@thrum/actors/wire/question';
import { refuse } from '@thrum/actors/wire/refusal';
import { createCounters } from './counters.ts';
import { createHistoryAsk, historyLimits, type NodeOutcome } from './history-ask.ts';

const question = (fromMs = 0): Question => ({
  target: 'cpu',
  metrics: ['usage'],
  host: '00000000-0000-4000-8000-000000000001',
  fromMs,
  toMs: fromMs + 1000,
  points: 10,
  aggregate: 'avg',
});
const answer = (fromMs = 0): Answer => ({
  ok: true,
  question: question(fromMs),
  startMs: fromMs,
  bucketMs: 100,
  series: [{ fields: ['total'], values: [[1, null, 3]] }],
  leftOut: 0,
});
type Ask = (node: string, question: PastQuestion) => NodeOutcome | Promise<NodeOutcome>;

const start = (nodes: string[], ask: Ask) => {
  const clock = fakeClock();
  const asked: string[] = [];
  const history = createHistoryAsk({
    clock,
    counters: createCounters(),
    ingestNodes: () => nodes,
    ask: async (node, one) => {
      asked.push(node);
      return await ask(node, one);
    },
  });
  return { clock, asked, history };
};

test('questions go to the linked nodes in turn', async () => {
  const { history, asked } = start(['a', 'b'], () => ({ ok: true, value: answer() }));
  for (const fromMs of [1, 2, 3, 4]) assert.equal((await history.ask(question(fromMs))).ok, true);
  assert.deepEqual(asked, ['a', 'b', 'a', 'b']);
});

test('without a linked node the question is refused', async () => {
  const { history } = start([], () => ({ ok: true, value: answer() }));
  assert.deepEqual(await history.ask(question()), refuse('no-ingest'));
});

test('a node that is lost on the way is followed by the next', async () => {
  const { history, asked } = start(['a', 'b'], (node) =>
    node === 'a' ? { ok: false, reason: 'no-link', detail: '' } : { ok: true, value: answer() },
  );
  assert.equal((await history.ask(question())).ok, true);
  assert.deepEqual(asked, ['a', 'b']);
});

test('each way to fail is a refusal of its own', async () => {
  const codes: string[] = [];
  for (const reason of ['no-link', 'full', 'deadline', 'failed'] as const) {
    const { history } = start(['a'], () => ({ ok: false, reason, detail: '' }));
    const outcome = await history.ask(question());
    codes.push(outcome.ok ? 'ok' : outcome.code);
  }
  assert.deepEqual(codes, ['no-ingest', 'busy', 'deadline', 'store-away']);
});

test('the same question at the same time is asked once, and again from the cache for three seconds', async () => {
  let reply: (outcome: NodeOutcome) => void = () => undefined;
  const { history, asked, clock } = start(['a'], () => new Promise((resolve) => (reply = resolve)));
  const both = [history.ask(question()), history.ask(question())];
  reply({ ok: true, value: answer() });
  for (const one of await Promise.all(both)) assert.equal(one.ok, true);
  clock.advance(historyLimits.keepMs - 1);
  assert.equal((await history.ask(question())).ok, true);
  assert.equal(asked.length, 1);
  clock.advance(1);
  const again = history.ask(question());
  reply({ ok: true, value: answer() });
  await again;
  assert.equal(asked.length, 2);
});

test('a refusal is not kept', async () => {
  let away = true;
  const { history } = start(['a'], () => ({ ok: true, value: away ? refuse('store-away', 'x') : answer() }));
  assert.deepEqual(await history.ask(question()), refuse('store-away', 'x'));
  away = false;
  assert.equal((await history.ask(question())).ok, true);
});

test('an answer of no known form is a refusal', async () => {
  for (const value of [null, 7, {}, { ok: true }, { ok: false, code: 'made-up' }]) {
    const { history } = start(['a'], () => ({ ok: true, value }));
    const outcome = await history.ask(question());
    assert.equal(!outcome.ok && outcome.code, 'store-away');
  }
});

const eventQuestion: EventQuestion = { ask: 'events', host: question().host, fromMs: 0, toMs: 1000, max: 10 };
const event = (n: number) => ({ kind: 'start', id: `e${n}`, timeMs: n, facts: { produced: n } });

test('a question for events goes the same way and is kept like the others', async () => {
  const value = { ok: true, events: [event(2), event(1)], more: true };
  const { history, asked } = start(['a', 'b'], () => ({ ok: true, value }));
  assert.deepEqual(await history.ask(eventQuestion), value);
  assert.deepEqual(await history.ask({ ...eventQuestion }), value);
  assert.deepEqual(asked, ['a']);
});

test('what is no event is left out of an answer, and an answer to the other question is none', async () => {
  const mixed = { ok: true, events: [event(2), { kind: 'Not a kind' }, null, { ...event(1), facts: 7 }] };
  const { history } = start(['a'], () => ({ ok: true, value: mixed }));
  assert.deepEqual(await history.ask(eventQuestion), { ok: true, events: [event(2)], more: false });
  const values = await history.ask(question());
  assert.equal(!values.ok && values.code, 'store-away');
  const other = await start(['a'], () => ({ ok: true, value: answer() })).history.ask(eventQuestion);
  assert.equal(!other.ok && other.code, 'store-away');
});

test('with too many questions under way one more is refused as busy, and later there is room again', async () => {
  const replies: ((outcome: NodeOutcome) => void)[] = [];
  const { history } = start(['a'], () => new Promise((resolve) => replies.push(resolve)));
  const waiting = Array.from({ length: historyLimits.maxQuestions }, (_, i) => history.ask(question(i)));
  const refused = await history.ask(question(9999));
  assert.equal(!refused.ok && refused.code, 'busy');
  await eventually(() => replies.length === historyLimits.maxQuestions);
  for (const reply of replies) reply({ ok: true, value: answer() });
  await Promise.all(waiting);
  const later = history.ask(question(9999));
  await eventually(() => replies.length === historyLimits.maxQuestions + 1);
  replies.at(-1)?.({ ok: true, value: answer() });
  assert.equal((await later).ok, true);
});
