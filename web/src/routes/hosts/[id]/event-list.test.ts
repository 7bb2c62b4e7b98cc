import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentEvent } from '@thrum/actors/wire/events';
import { gapReasons } from '@thrum/actors/wire/event-kinds';
import { eventRows, holesOf, newestReason } from './event-list.ts';

const at = (minutes: number, seconds = 0): number => new Date(2026, 2, 5, 10, minutes, seconds).getTime();
const nowMs = at(59);
let ids = 0;
const event = (kind: string, timeMs: number, facts: AgentEvent['facts'] = {}): AgentEvent => ({
  kind,
  id: `e${(ids += 1)}`,
  timeMs,
  facts,
});
const gap = (reason: string, fromMs: number, toMs: number, samples: number, timeMs = toMs): AgentEvent =>
  event('gap', timeMs, {
    reason,
    samples,
    batches: 3,
    epoch: 1,
    first_seq: 1,
    last_seq: 3,
    from_ms: fromMs,
    to_ms: toMs,
  });
const titles = (...events: AgentEvent[]): string[] => eventRows(events, nowMs).map(({ title }) => title);

test('newest first, and the hourly accounts are left out', () => {
  assert.deepEqual(titles(event('start', at(1)), event('account', at(2)), event('stop', at(3), { queued: 0 })), [
    'Stopped in order',
    'Started',
  ]);
});

test('a gap says how long, how many, when and why', () => {
  const [row] = eventRows([gap('full', at(2), at(14), 12_340)], nowMs);
  assert.equal(row?.title, '12 min of samples are missing');
  assert.equal(row.detail, `12,340 samples, 10:02:00–10:14:00 (12 min): ${gapReasons.full}.`);
  assert.equal(row.shape, 'triangle');
});

test('every known reason has words for the list and for a chart', () => {
  for (const reason of Object.keys(gapReasons)) {
    const one = gap(reason, at(2), at(3), 7);
    assert.notEqual(eventRows([one], nowMs)[0]?.detail, '');
    assert.match(holesOf([one])[0]?.why ?? '', reason === 'unclean' ? /not stopped in order/ : /^missing: /);
  }
});

test('an agent that was killed was not stopped in order, and that is said once', () => {
  const killed = [event('start', at(1)), gap('unclean', at(5), at(6), 0, at(6, 1)), event('start', at(6))];
  assert.deepEqual(titles(...killed), ['Not stopped in order', 'Started', 'Started']);
  assert.deepEqual(titles(event('start', at(1)), event('start', at(6))), [
    'Started again, not stopped in order before',
    'Started',
  ]);
  assert.deepEqual(titles(event('start', at(1)), event('stop', at(2)), event('start', at(6))), [
    'Started',
    'Stopped in order',
    'Started',
  ]);
});

test('a start tells the version, and by itself when it was not stopped in order before', () => {
  const [row] = eventRows([event('start', at(6), { agent_version: '1.2.3', clean: true })], nowMs);
  assert.deepEqual([row?.title, row?.detail], ['Started', 'Version 1.2.3.']);
  const killed = event('start', at(6), { clean: false });
  assert.deepEqual(titles(killed), ['Started again, not stopped in order before']);
  assert.deepEqual(titles(killed, gap('unclean', at(5), at(6), 0, at(6, 1))), ['Not stopped in order', 'Started']);
});

test('what waited when it was stopped is said', () => {
  const details = (queued: number) => eventRows([event('stop', at(1), { queued })], nowMs)[0]?.detail;
  assert.equal(details(3), '3 samples waited on its disk for the next start.');
  assert.equal(details(0), '');
});

test('kinds and reasons that are not known are shown by their name', () => {
  assert.deepEqual(titles(event('disk-replaced', at(1))), ['Disk replaced']);
  const [row] = eventRows([gap('eaten', at(2), at(3), 5)], nowMs);
  assert.match(row?.detail ?? '', /: eaten\.$/);
  assert.equal(holesOf([gap('eaten', at(2), at(3), 5)])[0]?.why, 'missing');
});

test('facts that make no sense make no hole and no row full of nonsense', () => {
  for (const facts of [
    {},
    { reason: 'constructor' },
    { from_ms: 'x', to_ms: true },
    { from_ms: Number.NaN, to_ms: 1 },
  ]) {
    const odd = event('gap', at(1), facts);
    assert.deepEqual(titles(odd), ['Samples are missing']);
    assert.deepEqual(holesOf([odd]), []);
  }
  assert.deepEqual(holesOf([gap('full', at(3), at(3), 1)]), []);
});

test('a hole between a stop and the next start is the stopped agent', () => {
  const events = [event('start', at(9)), event('stop', at(4)), event('start', at(1))];
  assert.deepEqual(holesOf(events), [{ fromMs: at(4), toMs: at(9), why: 'the agent was stopped' }]);
  assert.deepEqual(holesOf([event('stop', at(4))]), []);
});

test('why samples are missing is told by the newest gap that has any', () => {
  assert.equal(newestReason([]), '');
  const gaps = [gap('full', at(1), at(2), 5), gap('age', at(3), at(4), 6), gap('unclean', at(5), at(6), 0)];
  assert.equal(newestReason(gaps), 'waited too long');
});
