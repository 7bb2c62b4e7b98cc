import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { eventTimes, HostEvents } from './host-events.svelte.ts';

const start = (answer: () => EventAnswer | Refusal) => {
  const asked: EventQuestion[] = [];
  const events = new HostEvents('h', (question) => {
    asked.push(question);
    return Promise.resolve(answer());
  });
  const tick = async (nowMs: number): Promise<number> => {
    events.tick(nowMs, 1_000_000_000_000 + nowMs);
    await Promise.resolve();
    await Promise.resolve();
    return asked.length;
  };
  return { asked, events, tick };
};
const one = { kind: 'start', id: 'a', timeMs: 5, facts: {} };

test('it is asked at once, and again when it is time', async () => {
  const { tick, asked, events } = start(() => ({ ok: true, events: [one], more: true }));
  assert.equal(await tick(0), 1);
  assert.deepEqual([events.list, events.more], [[one], true]);
  assert.equal(await tick(eventTimes.refreshMs - 1), 1);
  assert.equal(await tick(eventTimes.refreshMs), 2);
  assert.equal(asked[0]?.toMs, 1_000_000_000_000 + eventTimes.aheadMs);
});

test('a store that is away is asked again sooner, and what was answered before stays', async () => {
  const away = refuse('store-away');
  const answers: (EventAnswer | Refusal)[] = [{ ok: true, events: [one], more: false }, away];
  const { tick, events } = start(() => answers.shift() ?? away);
  await tick(0);
  await tick(eventTimes.refreshMs);
  assert.deepEqual([events.list, events.refusal], [[one], away]);
  assert.equal(await tick(eventTimes.refreshMs + eventTimes.retryMs), 3);
});

test('after something happened it is asked a few times soon, and then no more than usual', async () => {
  const { tick, events } = start(() => ({ ok: true, events: [one], more: false }));
  await tick(0);
  events.hint(1000);
  const [first, second, third] = eventTimes.afterHintMs;
  assert.equal(await tick(999 + first), 1);
  assert.equal(await tick(1000 + first), 2);
  assert.equal(await tick(1000 + second), 3);
  assert.equal(await tick(1000 + third), 4);
  assert.equal(await tick(2000 + third), 4);
});

test('the same answer again is not a new one', async () => {
  const { tick, events } = start(() => ({ ok: true, events: [{ ...one }], more: false }));
  await tick(0);
  const before = events.list;
  await tick(eventTimes.refreshMs);
  assert.equal(events.list, before);
});
