import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxBacklog, nextGrant, startGrant, type Grant, type GrantSigns } from './grants.ts';

const mebibyte = 1024 * 1024;
const calm: GrantSigns = {
  nowMs: 0,
  isAway: false,
  isFailing: false,
  heldBytes: 0,
  maxHeldBytes: 64 * mebibyte,
  sessions: 100,
  catchingUp: 0,
  batchBytes: 8_000,
};

/** Half a second after half a second of the same signs; returns what was granted at each look. */
const looks = (count: number, signs: Partial<GrantSigns>, from: Grant = startGrant, fromMs = 0) => {
  const granted: number[] = [];
  let grant = from;
  for (let i = 0; i < count; i += 1) {
    grant = nextGrant(grant, { ...calm, ...signs, nowMs: fromMs + i * 500 });
    granted.push(grant.backlog);
  }
  return { granted, grant, atMs: fromMs + count * 500 };
};
const steady = (signs: Partial<GrantSigns> = {}): Grant => looks(60, signs).grant;

test('nothing is granted while the store is away', () => {
  assert.deepEqual(looks(3, { isAway: true }).granted, [0, 0, 0]);
  assert.equal(nextGrant(steady(), { ...calm, nowMs: 30_000, isAway: true }).backlog, 0, 'at once');
});

test('one bulk that failed takes nothing away, a second of failures does; nothing begins again while the store fails', () => {
  const failing = looks(4, { isFailing: true }, steady(), 30_000);
  assert.deepEqual(failing.granted, [maxBacklog, maxBacklog, 0, 0]);
  assert.equal(nextGrant(failing.grant, { ...calm, nowMs: failing.atMs, isFailing: true }).backlog, 0);
  assert.ok(nextGrant(failing.grant, { ...calm, nowMs: failing.atMs }).backlog > 0);
});

test('a fleet of any size is granted at least one batch each', () => {
  for (const sessions of [1, 100, 5_000, 10_000]) assert.ok(looks(1, { sessions }).granted.every((one) => one >= 1));
  assert.deepEqual(looks(1, { sessions: 5_000 }).granted, [1]);
});

test('all who catch up together are granted no more than the store is kept busy with', () => {
  for (const catchingUp of [1, 10, 50, 100, 200, 500]) {
    const { backlog } = steady({ catchingUp });
    const held = backlog * catchingUp * calm.batchBytes * 2;
    assert.ok(held <= 16 * mebibyte || backlog === 1, `${catchingUp} agents × ${backlog} batches hold ${held} bytes`);
  }
  assert.equal(steady({ catchingUp: 1 }).backlog, maxBacklog);
});

test('after an outage every agent counts as one that catches up', () => {
  const { granted } = looks(1, { sessions: 200, catchingUp: 0 }, steady({ isAway: true }), 30_000);
  assert.deepEqual(granted, [1]);
});

test('a grant grows one step at a time and shrinks at once', () => {
  const rising = looks(40, { catchingUp: 20 }).granted;
  const changes = rising.filter((one, i) => i > 0 && one !== rising[i - 1]);
  assert.deepEqual(
    changes,
    changes.toSorted((a, b) => a - b),
  );
  assert.ok(changes.length >= 3, `it rose in ${changes.length} steps`);
  const many = nextGrant(steady({ catchingUp: 1 }), { ...calm, nowMs: 30_000, catchingUp: 2_000 });
  assert.equal(many.backlog, 1);
});

test('a store that is half full gets less and less of a backlog until it is not', () => {
  const crowded = looks(10, { catchingUp: 50, heldBytes: 40 * mebibyte }, steady({ catchingUp: 50 }), 30_000);
  assert.ok((crowded.granted[0] ?? 0) > 1);
  assert.equal(crowded.granted.at(-1), 1);
  assert.ok((looks(20, { catchingUp: 50 }, crowded.grant, crowded.atMs).granted.at(-1) ?? 0) > 1);
});

test('the same signs give the same grant for ever: nobody is told anything', () => {
  const settled = looks(200, { catchingUp: 37, heldBytes: 5 * mebibyte }).granted.slice(60);
  assert.equal(new Set(settled).size, 1);
});

test('a fleet of which one batch each is too much takes turns, in so few groups that it fits', () => {
  for (const sessions of [2_000, 5_000, 10_000]) {
    const { grant } = looks(20, { sessions, catchingUp: sessions });
    assert.equal(grant.backlog, 1);
    const held = (sessions / grant.groups) * calm.batchBytes * 2;
    assert.ok(held <= 16 * mebibyte && held * 2 > 16 * mebibyte, `${sessions} agents in ${grant.groups} groups`);
  }
  const crowded = looks(20, { sessions: 5_000, catchingUp: 5_000, heldBytes: 40 * mebibyte }).grant;
  assert.equal(crowded.groups, 64);
  assert.equal(looks(20, { sessions: 100, catchingUp: 100 }).grant.groups, 1);
});

test('those whose turn it is speak for the others: the groups stay as many while all have a backlog, and go when few have one', () => {
  let { grant } = looks(20, { sessions: 5_000, catchingUp: 5_000 });
  const { groups } = grant;
  for (let i = 0; i < 40; i += 1)
    grant = nextGrant(grant, { ...calm, sessions: 5_000, catchingUp: 5_000 / grant.groups, nowMs: 30_000 + i * 500 });
  assert.equal(grant.groups, groups);
  assert.equal(looks(60, { sessions: 5_000, catchingUp: 20 }, grant, 60_000).grant.groups, 1);
});

test('after a store was crowded for a moment a fleet that fits is let in at once, not step by step', () => {
  const crowded = looks(2, { sessions: 100, catchingUp: 100, heldBytes: 40 * mebibyte });
  assert.ok(crowded.grant.groups > 1);
  const after = nextGrant(crowded.grant, { ...calm, sessions: 100, catchingUp: 40, nowMs: crowded.atMs });
  assert.equal(after.groups, 1);
  const many = looks(2, { sessions: 5_000, catchingUp: 5_000, heldBytes: 40 * mebibyte });
  assert.equal(many.grant.groups, 64);
  assert.equal(nextGrant(many.grant, { ...calm, sessions: 5_000, catchingUp: 80, nowMs: many.atMs }).groups, 8);
});
