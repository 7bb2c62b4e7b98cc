import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEntry } from '@thrum/actors/testing/roster-entries';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { judgeElsewhere } from './elsewhere.ts';

const entry = (more: Partial<RosterEntry> = {}): RosterEntry =>
  testEntry(1, { node: 'here', epoch: 7, attempt: 2, ...more });
const here = { said: entry(), held: true };
const there = entry({ node: 'there', attempt: 3 });

test('what the mesh says after us is nothing new', () => {
  assert.equal(judgeElsewhere(here, entry()), 'nothing');
  assert.equal(judgeElsewhere({ ...here, held: false }, entry({ connection: 'down' })), 'nothing');
});

test('a host that is gone here and spoken of elsewhere is forgotten, however it is there', () => {
  for (const connection of ['connected', 'silent', 'reconnecting', 'down', 'left'] as const)
    assert.equal(judgeElsewhere({ ...here, held: false }, { ...there, connection }), 'forget');
});

test('a connection that stands is superseded by a later one that stands elsewhere', () => {
  assert.equal(judgeElsewhere(here, there), 'superseded');
  assert.equal(judgeElsewhere(here, { ...there, connection: 'silent' }), 'superseded');
});

test('a connection that stands overtakes a later one that is over, and not one that was lost a moment ago', () => {
  assert.equal(judgeElsewhere(here, { ...there, connection: 'reconnecting' }), 'nothing');
  assert.equal(judgeElsewhere(here, { ...there, connection: 'down' }), 'overtake');
  assert.equal(judgeElsewhere(here, { ...there, connection: 'left' }), 'overtake');
});

test('what was said of this very node by the heir of an earlier start of it counts as elsewhere', () => {
  assert.equal(judgeElsewhere(here, entry({ epoch: 9, connection: 'down' })), 'overtake');
});
