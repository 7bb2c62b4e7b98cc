import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshness, stateLooks, stateOf, states } from './state.ts';

const facts = { connection: 'connected', periodMs: 1000, ageMs: 100, cutOff: false } as const;

test('a host is live under two periods, late up to five, stale after', () => {
  assert.equal(stateOf(facts), 'live');
  assert.equal(stateOf({ ...facts, ageMs: 1999 }), 'live');
  assert.equal(stateOf({ ...facts, ageMs: 2000 }), 'late');
  assert.equal(stateOf({ ...facts, ageMs: 5000 }), 'late');
  assert.equal(stateOf({ ...facts, ageMs: 5001 }), 'stale');
});

test('the period of the host is the measure, not a second', () => {
  assert.equal(stateOf({ ...facts, periodMs: 10_000, ageMs: 15_000 }), 'live');
  assert.equal(stateOf({ ...facts, periodMs: 200, ageMs: 1100 }), 'stale');
});

test('what the path adds may be granted', () => {
  assert.equal(stateOf({ ...facts, ageMs: 2300, graceMs: 500 }), 'live');
  assert.equal(stateOf({ ...facts, ageMs: 2600, graceMs: 500 }), 'late');
});

test('a host that never sent a sample is waiting, not live and not zero', () => {
  assert.equal(stateOf({ ...facts, ageMs: undefined }), 'waiting');
  assert.equal(freshness({ ...facts, ageMs: undefined }), 'none');
});

test('what the mesh says of the connection wins over age', () => {
  for (const connection of ['silent', 'reconnecting', 'down', 'left'] as const)
    assert.equal(stateOf({ ...facts, connection }), connection);
});

test('a page that is cut off calls nothing live', () => {
  assert.equal(stateOf({ ...facts, cutOff: true }), 'stale');
  assert.equal(freshness({ ...facts, cutOff: true }), 'stale');
});

test('a host that is not well is degraded unless something worse is to be said of it', () => {
  const ill = { ...facts, degraded: true };
  assert.equal(stateOf(ill), 'degraded');
  assert.equal(
    stateOf({ ...ill, ageMs: 3000 }),
    'degraded',
    'a late tick is the smaller trouble, and its age is printed',
  );
  assert.equal(stateOf({ ...ill, ageMs: 6000 }), 'stale');
  assert.equal(stateOf({ ...ill, ageMs: undefined }), 'degraded', 'why no sample comes is more than that none came');
  assert.equal(stateOf({ ...ill, cutOff: true }), 'stale');
  assert.equal(stateOf({ ...ill, connection: 'down' }), 'down');
  assert.equal(freshness(ill), 'live', 'its values are not grey');
});

test('every state has a word, a shape and a place in the order', () => {
  assert.deepEqual([...states].sort(), Object.keys(stateLooks).sort());
  const ranks = states.map((state) => stateLooks[state].rank);
  assert.deepEqual(
    ranks,
    [...ranks].sort((a, b) => a - b),
  );
  assert.equal(new Set(states.map((state) => stateLooks[state].word)).size, states.length);
});
