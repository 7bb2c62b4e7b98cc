import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionState } from './connection-state.ts';

const heard = (heardMs: number) => ({ heardMs, lostMs: undefined, left: false });
const lost = (heardMs: number, lostMs: number) => ({ heardMs, lostMs, left: false });

test('a connected host is silent after 5 s without a word and down after 30 s', () => {
  const table = [
    [0, 'connected'],
    [4_999, 'connected'],
    [5_000, 'silent'],
    [29_999, 'silent'],
    [30_000, 'down'],
  ] as const;
  for (const [nowMs, state] of table) assert.equal(connectionState(heard(0), nowMs), state, `at ${nowMs} ms`);
});

test('a host that lost its connection is reconnecting for 10 s and down from then on, however lately it was heard', () => {
  const table = [
    [1_000, 'reconnecting'],
    [10_999, 'reconnecting'],
    [11_000, 'down'],
    [500_000, 'down'],
  ] as const;
  for (const [nowMs, state] of table) assert.equal(connectionState(lost(900, 1_000), nowMs), state, `at ${nowMs} ms`);
});

test('a host that said goodbye has left, for good', () => {
  for (const nowMs of [0, 60_000, 10_000_000])
    assert.equal(connectionState({ heardMs: 0, lostMs: 0, left: true }, nowMs), 'left');
});
