import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesText } from './announcement.ts';

test('few hosts are named', () => {
  assert.equal(changesText([{ name: 'db-1', from: 'live', to: 'down' }]), 'db-1: down.');
});

test('many are counted, worst first', () => {
  const changes = ['a', 'b', 'c', 'd'].map((name) => ({ name, from: 'live', to: 'silent' }) as const);
  assert.equal(
    changesText([...changes, { name: 'e', from: 'live', to: 'down' }]),
    '5 hosts changed: 1 down, 4 silent.',
  );
});

test('a tick that is late and live again is nothing to say', () => {
  assert.equal(changesText([{ name: 'a', from: 'late', to: 'live' }]), '');
  assert.equal(changesText([]), '');
});
