import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from './rules.ts';
import type { DocumentState, Standing } from './rules.ts';

const standing = (changes: Partial<Standing> = {}): Standing => ({
  ...{ epoch: 5, attempt: 3, connection: 'connected', sinceMs: 1000, adopted: false, living: true, writer: 'a' },
  ...changes,
});
const state = (incarnation: number, generation: number, length: number, hash = 'h'): DocumentState => ({
  name: { node: 'a', incarnation, generation },
  ...{ length, hash },
});
const hour = 3_600_000;

test('the later connection of an agent is believed, whoever says it; then who is there, serves, is up, is later', () => {
  const ascending = [
    standing({ epoch: 4, attempt: 9, sinceMs: 9000 }),
    standing({ attempt: 2, sinceMs: 9000 }),
    standing({ living: false, sinceMs: 9000 }),
    standing({ adopted: true, sinceMs: 9000 }),
    standing({ connection: 'down', sinceMs: 9000 }),
    standing({ sinceMs: 900 }),
    standing({ writer: '0' }),
    standing(),
    standing({ attempt: 4, connection: 'down', living: false, adopted: true, sinceMs: 0 }),
    standing({ epoch: 6, attempt: 0, connection: 'left', sinceMs: 0 }),
  ];
  for (const [at, one] of ascending.entries())
    for (const [other, two] of ascending.entries())
      assert.equal(rules.isNewer(one, two), at > other, `${at} and ${other}`);
});

test('a document is accepted of a member that is there, of its present life, and never an older one than is held', () => {
  const offered = { node: 'a', incarnation: 100, generation: 2 };
  const known = { self: 'me', incarnation: 100, isGone: false, held: undefined };
  const held = (incarnation: number, generation: number) => ({
    ...known,
    held: { node: 'a', incarnation, generation },
  });
  assert.equal(rules.acceptsDocument(offered, known), true);
  assert.equal(rules.acceptsDocument(offered, held(100, 2)), true);
  assert.equal(rules.acceptsDocument(offered, held(100, 1)), true);
  assert.equal(rules.acceptsDocument(offered, held(90, 7)), true);
  assert.equal(rules.acceptsDocument(offered, held(100, 3)), false);
  assert.equal(rules.acceptsDocument(offered, held(101, 0)), false);
  assert.equal(rules.acceptsDocument(offered, { ...known, isGone: true }), false);
  assert.equal(rules.acceptsDocument(offered, { ...known, incarnation: undefined }), false);
  assert.equal(rules.acceptsDocument(offered, { ...known, incarnation: 99 }), false);
  assert.equal(rules.acceptsDocument(offered, { ...known, self: 'a' }), false);
});

test('an entry of a gone node shows as reconnecting for 10 s, then as down; what was down or left stays so', () => {
  const up = { connection: 'connected', sinceMs: 5 } as const;
  assert.deepEqual(rules.showsAs(up, undefined), up);
  assert.deepEqual(rules.showsAs(up, { sinceMs: 100, forMs: 9999 }), { connection: 'reconnecting', sinceMs: 100 });
  assert.deepEqual(rules.showsAs(up, { sinceMs: 100, forMs: 10_000 }), { connection: 'down', sinceMs: 10_100 });
  const left = { connection: 'left', sinceMs: 5 } as const;
  assert.deepEqual(rules.showsAs(left, { sinceMs: 100, forMs: 0 }), left);
});

test('after the grace one node is heir at first, then one more every half second', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e'];
  const firsts = new Set<string>();
  for (let at = 0; at < 100; at += 1) {
    const heirs = (forMs: number): string[] => nodes.filter((node) => rules.isHeir(`host-${at}`, node, nodes, forMs));
    assert.deepEqual(heirs(9999), []);
    assert.equal(heirs(10_000).length, 1);
    assert.equal(heirs(10_500).length, 2);
    assert.equal(heirs(12_000).length, 5);
    firsts.add(heirs(10_000)[0] ?? '');
  }
  assert.equal(firsts.size, nodes.length, 'all inherit some of 100 hosts');
});

test('an adopted entry makes way for a served one of the same or a later connection', () => {
  const own = standing({ adopted: true, connection: 'down', writer: 'me' });
  const yields = (other: Partial<Standing>): boolean => rules.yields('host', own, standing(other));
  assert.equal(yields({ connection: 'down' }), true);
  assert.equal(yields({ attempt: 4, adopted: true }), true);
  assert.equal(yields({ attempt: 2 }), false);
  assert.equal(yields({ epoch: 4, attempt: 9 }), false);
  assert.equal(yields({ attempt: 4, living: false }), false);
});

test('of two that adopted the same connection exactly one makes way', () => {
  for (let at = 0; at < 50; at += 1) {
    const one = standing({ adopted: true, connection: 'down', writer: 'a' });
    const other = standing({ adopted: true, connection: 'down', writer: 'b', sinceMs: 99 });
    assert.notEqual(rules.yields(`host-${at}`, one, other), rules.yields(`host-${at}`, other, one));
  }
});

test('what a node says of an agent it lost goes when the agent has connected elsewhere since; never while it is connected here', () => {
  const lost = standing({ connection: 'reconnecting' });
  assert.equal(rules.yields('host', lost, standing({ attempt: 4 })), true);
  assert.equal(rules.yields('host', lost, standing({ attempt: 4, living: false })), false);
  assert.equal(rules.yields('host', lost, standing()), false);
  assert.equal(rules.yields('host', standing(), standing({ attempt: 4 })), false);
  assert.equal(rules.yields('host', standing({ connection: 'silent' }), standing({ epoch: 6 })), false);
});

test('what made way goes only when nobody lacks what it made way for', () => {
  assert.equal(rules.mayLetGo(0), true);
  assert.equal(rules.mayLetGo(1), false);
});

test('a document is written anew when it is over 64 KiB and half of it is superseded', () => {
  assert.equal(rules.shouldRotate({ bytes: 65_536, liveBytes: 100 }), false);
  assert.equal(rules.shouldRotate({ bytes: 65_537, liveBytes: 100 }), true);
  assert.equal(rules.shouldRotate({ bytes: 200_000, liveBytes: 100_000 }), false);
  assert.equal(rules.shouldRotate({ bytes: 200_001, liveBytes: 100_000 }), true);
});

test('a host that is gone is forgotten after a day, one that is not never', () => {
  const gone = (connection: Standing['connection'], hours: number): boolean =>
    rules.mayDropTombstone({ connection, sinceMs: 1000 }, 1000 + hours * hour);
  assert.equal(gone('down', 24), false);
  assert.equal(gone('down', 24.1), true);
  assert.equal(gone('left', 24.1), true);
  for (const connection of ['connected', 'silent', 'reconnecting'] as const)
    assert.equal(gone(connection, 9999), false);
});

test('the document of a gone node is kept until all heirs had their turn', () => {
  assert.equal(rules.mayForgetDocument(39_999), false);
  assert.equal(rules.mayForgetDocument(40_000), true);
});

test('a document is asked for when ours is older or shorter', () => {
  const held = state(7, 1, 10);
  assert.equal(rules.needsSync(undefined, state(7, 1, 0)), 'all');
  assert.equal(rules.needsSync(held, state(7, 2, 1)), 'all');
  assert.equal(rules.needsSync(held, state(8, 0, 1)), 'all');
  assert.equal(rules.needsSync(held, state(7, 0, 99)), 'no');
  assert.equal(rules.needsSync(held, state(7, 1, 11)), 'more');
  assert.equal(rules.needsSync(held, state(7, 1, 10)), 'no');
  assert.equal(rules.needsSync(held, state(7, 1, 9)), 'no');
});

test('a node notices that others hold more of its present life than it does', () => {
  const own = state(7, 1, 10);
  assert.equal(rules.wasRestored(own, state(7, 1, 10)), false);
  assert.equal(rules.wasRestored(own, state(7, 1, 9, 'older')), false);
  assert.equal(rules.wasRestored(own, state(7, 1, 11)), true);
  assert.equal(rules.wasRestored(own, state(7, 1, 10, 'other')), true);
  assert.equal(rules.wasRestored(own, state(7, 2, 1)), true);
  assert.equal(rules.wasRestored(own, state(6, 5, 99)), false);
});
