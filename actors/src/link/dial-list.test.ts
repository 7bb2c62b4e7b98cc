import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { waitMs } from './backoff.ts';
import { createDialList, dialPace } from './dial-list.ts';
import { judgePulse } from './liveness.ts';

const listOf = (seeds: readonly string[]) => {
  const linked = new Set<string>();
  const list = createDialList({ seeds, nowMs: 0, isLinked: (id) => linked.has(id), random: () => 1 });
  return { linked, list };
};

test('the wait doubles up to its limit, jittered, and never falls below the least', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const ms = waitMs(dialPace, failures, random);
      assert.ok(ms >= 100 && ms <= 5000);
      assert.ok(failures < 6 || ms >= 2500);
    }),
  );
});

test('a seed is dialled at once, and for ever again until it is met', () => {
  const { list, linked } = listOf(['a:1']);
  assert.deepEqual(list.takeDue(0), ['a:1']);
  assert.deepEqual(list.takeDue(0), []);
  let nowMs = 0;
  for (let failures = 0; failures < 20; failures += 1) {
    list.failed('a:1', nowMs);
    const nextMs = list.nextDueMs() ?? NaN;
    assert.ok(nextMs - nowMs <= 5000);
    nowMs = nextMs;
    assert.deepEqual(list.takeDue(nowMs), ['a:1']);
  }
  list.met('a:1', 'A');
  linked.add('A');
  assert.equal(list.nextDueMs(), undefined);
});

test('when a link goes down its addresses are dialled again soon', () => {
  const { list, linked } = listOf(['a:1']);
  list.takeDue(0);
  list.met('a:1', 'A');
  linked.add('A');
  linked.delete('A');
  list.lost('A', 5000);
  assert.equal(list.nextDueMs(), 5100);
});

test('an address a peer named is dialled unless its node is linked, and forgotten ten minutes after its last mention', () => {
  const { list, linked } = listOf([]);
  linked.add('B');
  list.learn('b:1', 'B', 0, 0);
  assert.deepEqual(list.takeDue(0), []);
  list.learn('c:1', 'C', 0, 300);
  assert.deepEqual(list.takeDue(299), []);
  assert.deepEqual(list.takeDue(300), ['c:1']);
  list.failed('c:1', 300);
  assert.deepEqual(list.takeDue(600_001), []);
  assert.equal(list.size(), 1);
});

test('a node that moved is dialled where it is now', () => {
  const { list } = listOf([]);
  list.learn('old:1', 'C', 0, 0);
  list.learn('new:1', 'C', 10, 0);
  assert.deepEqual(list.takeDue(10), ['new:1']);
});

test('a peer that names thousands of addresses fills a bounded list', () => {
  const { list } = listOf(['seed:1']);
  for (let at = 0; at < 10_000; at += 1) list.learn(`x${at}:1`, `X${at}`, 0, 0);
  assert.equal(list.size(), 500);
  assert.ok(list.takeDue(0).includes('seed:1'));
});

test('the own address is never dialled again', () => {
  const { list } = listOf(['a:1']);
  list.takeDue(0);
  list.remove('a:1');
  list.failed('a:1', 0);
  assert.equal(list.nextDueMs(), undefined);
});

const pulse = { heardMs: 0, beatMs: 0, tickMs: 4750, stuckSinceMs: undefined };

test('a link is lost after 5 s of silence, not before', () => {
  assert.equal(judgePulse({ ...pulse, tickMs: 4740 }, 4990).lost, undefined);
  assert.match(judgePulse(pulse, 5000).lost ?? '', /nothing heard for 5000 ms/);
});

test('a node that stood still itself declares nobody lost', () => {
  assert.equal(judgePulse({ ...pulse, tickMs: 1000 }, 8000).lost, undefined);
  assert.match(judgePulse({ ...pulse, tickMs: 8000 }, 8250).lost ?? '', /nothing heard/);
});

test('a peer that is heard but takes nothing for 10 s is lost', () => {
  const stuck = { heardMs: 9900, beatMs: 9900, tickMs: 9750, stuckSinceMs: 0 };
  assert.equal(judgePulse(stuck, 9999).lost, undefined);
  assert.match(judgePulse(stuck, 10_000).lost ?? '', /takes nothing/);
});

test('a heartbeat is due every second', () => {
  assert.deepEqual(
    [999, 1000].map((nowMs) => judgePulse({ ...pulse, tickMs: nowMs }, nowMs).beat),
    [false, true],
  );
});
