import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from './rules.ts';
import { mayAccuse, noDoubt, tickDoubt } from './self-doubt.ts';
import { excuse, hear, newSighting, ownWord } from './sightings.ts';

test('the larger incarnation wins, and of one incarnation what is worse', () => {
  const states = ['alive', 'suspect', 'dead'] as const;
  for (const [index, state] of states.entries())
    for (const [other, than] of states.entries()) {
      assert.equal(rules.isNewer({ incarnation: 1, state }, { incarnation: 1, state: than }), index > other);
      assert.ok(rules.isNewer({ incarnation: 2, state }, { incarnation: 1, state: than }));
      assert.ok(!rules.isNewer({ incarnation: 1, state }, { incarnation: 2, state: than }));
    }
  assert.ok(!rules.isNewer({ incarnation: 1, state: 'dead' }, { incarnation: 1, state: 'left' }), 'gone is gone');
});

test('a node goes on above whatever buries it, and above any former self', () => {
  assert.equal(rules.refutes(7, { incarnation: 7, state: 'alive' }), undefined);
  assert.equal(rules.refutes(7, { incarnation: 6, state: 'dead' }), undefined);
  assert.equal(rules.refutes(7, { incarnation: 7, state: 'dead' }), 8);
  assert.equal(rules.refutes(7, { incarnation: 7, state: 'left' }), 8);
  assert.equal(rules.refutes(7, { incarnation: 9, state: 'dead' }), 10);
  assert.equal(rules.refutes(7, { incarnation: 9, state: 'alive' }), 10);
});

test('a verdict is believed unless the accused is on the line right now', () => {
  const word = { linked: true, refused: false, doubts: false };
  assert.equal(rules.believes({ ...word, heardForMs: 200 }), false);
  assert.equal(rules.believes({ ...word, heardForMs: 200, linked: false }), true);
  assert.equal(rules.believes({ ...word, heardForMs: 9000 }), true);
  assert.equal(rules.believes({ ...word, heardForMs: undefined }), true);
});

test('a late tick costs the right to accuse until a second of listening is over, and an overdue one does already', () => {
  let doubt = noDoubt(0);
  for (const nowMs of [250, 500, 750]) doubt = tickDoubt(doubt, nowMs, rules).doubt;
  assert.ok(mayAccuse(doubt, 900, rules));
  assert.ok(!mayAccuse(doubt, 750 + 250 + 501, rules), 'woken, and its timers have not run yet');
  const late = tickDoubt(doubt, 30_750, rules);
  assert.equal(late.lateMs, 29_750);
  doubt = late.doubt;
  for (const nowMs of [31_000, 31_250, 31_500]) {
    doubt = tickDoubt(doubt, nowMs, rules).doubt;
    assert.ok(!mayAccuse(doubt, nowMs, rules));
  }
  doubt = tickDoubt(doubt, 31_750, rules).doubt;
  assert.ok(mayAccuse(doubt, 31_750, rules));
});

test('time in which this node did not run counts against nobody; after a long while nothing heard before counts', () => {
  const sighting = newSighting(0);
  hear(sighting, 1000);
  excuse(sighting, 2000, 4000);
  assert.deepEqual([sighting.silentSinceMs, sighting.heardMs], [3000, 1000]);
  excuse(sighting, 30_000, 40_000);
  assert.equal(sighting.silentSinceMs, 40_000);
  assert.equal(ownWord(sighting, false, 40_000).heardForMs, 39_000, 'to others it says the truth');
});

test('a door found shut makes the link worth nothing until something comes over it again', () => {
  const sighting = { ...newSighting(0), linked: true };
  hear(sighting, 1000);
  sighting.refusedMs = 1500;
  assert.deepEqual([ownWord(sighting, false, 1600).linked, ownWord(sighting, false, 1600).refused], [false, true]);
  hear(sighting, 1200);
  assert.equal(ownWord(sighting, false, 1600).refused, true);
  hear(sighting, 1700);
  assert.deepEqual([ownWord(sighting, false, 1800).linked, ownWord(sighting, false, 1800).refused], [true, false]);
});
