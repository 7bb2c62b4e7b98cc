import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccountAttempts, createAddressAttempts } from './attempts.ts';
import { rules, signInLimits } from './rules.ts';
import { counterOf } from './shared-attempts.ts';

const minuteMs = 60_000;

test('five attempts are free; then each waits twice as long as the one before, but never more than five minutes', () => {
  const attempts = createAccountAttempts();
  let nowMs = 0;
  const waits: number[] = [];
  for (let failure = 0; failure < 14; failure += 1) {
    for (;;) {
      const verdict = attempts.begin('ada', nowMs);
      if (verdict.ok) break;
      waits.push(verdict.retryAfterMs / 1000);
      nowMs += verdict.retryAfterMs;
    }
  }
  assert.deepEqual(waits, [15, 30, 60, 120, 240, 300, 300, 300, 300]);
});

test('what is tried while an account waits is not judged and does not make the wait longer', () => {
  const attempts = createAccountAttempts();
  for (let i = 0; i < 5; i += 1) assert.equal(attempts.begin('ada', 0).ok, true);
  for (let nowMs = 0; nowMs < 15_000; nowMs += 10) assert.equal(attempts.begin('ada', nowMs).ok, false);
  assert.equal(attempts.begin('ada', 15_000).ok, true);
});

test('many attempts at once do not slip through, and other accounts are not touched', () => {
  const attempts = createAccountAttempts();
  const verdicts = Array.from({ length: 100 }, () => attempts.begin('ada', 5).ok);
  assert.equal(verdicts.filter(Boolean).length, 5);
  assert.equal(attempts.begin('grace', 5).ok, true);
});

test('a success forgets the failures, a quarter of an hour does too, and an attempt nobody judged does not count', () => {
  const attempts = createAccountAttempts();
  for (let i = 0; i < 4; i += 1) attempts.begin('ada', 0);
  attempts.succeeded('ada');
  for (let i = 0; i < 5; i += 1) assert.equal(attempts.begin('ada', 0).ok, true);
  assert.equal(attempts.begin('ada', 0).ok, false);
  assert.equal(attempts.begin('ada', signInLimits.accountWindowMs).ok, true);

  for (let i = 0; i < 50; i += 1) {
    assert.equal(attempts.begin('grace', 0).ok, true);
    attempts.takeBack('grace');
  }
});

test('an address has twenty attempts a minute, whoever it tries, and gets them back one by one', () => {
  const attempts = createAddressAttempts();
  for (let i = 0; i < 20; i += 1) assert.equal(attempts.begin('10.0.0.1', 0).ok, true);
  assert.deepEqual(attempts.begin('10.0.0.1', 0), { ok: false, retryAfterMs: 3000 });
  assert.equal(attempts.begin('10.0.0.2', 0).ok, true);
  assert.equal(attempts.begin('10.0.0.1', 3000).ok, true);
  assert.equal(attempts.begin('10.0.0.1', 3000).ok, false);
  attempts.takeBack('10.0.0.1');
  assert.equal(attempts.begin('10.0.0.1', 3000).ok, true);
  for (let i = 0; i < 20; i += 1) assert.equal(attempts.begin('10.0.0.1', 10 * minuteMs).ok, true);
  assert.equal(attempts.begin('10.0.0.1', 10 * minuteMs).ok, false);
});

test('both tables are bounded, count what they forget, and forget what was untouched longest', () => {
  const accounts = createAccountAttempts(rules, 3);
  const addresses = createAddressAttempts(20, 3);
  for (const key of ['a', 'b', 'c', 'a', 'd', 'e']) {
    accounts.begin(key, 0);
    addresses.begin(key, 0);
  }
  assert.deepEqual([accounts.counters()['accountsTried'], accounts.counters()['accountsForgotten']], [3, 2]);
  assert.deepEqual([addresses.counters()['addressesTried'], addresses.counters()['addressesForgotten']], [3, 2]);
  for (let i = 0; i < 3; i += 1) accounts.begin('a', 0);
  assert.equal(accounts.begin('a', 0).ok, false, 'a was touched and is remembered');
});

test('each account has one node that counts for all, most accounts keep theirs when a node goes', () => {
  const nodes = ['web-1', 'web-2', 'web-3'];
  const accounts = Array.from({ length: 300 }, (_, i) => `user${i}`);
  const before = accounts.map((account) => counterOf(account, nodes));
  for (const node of nodes) assert.ok(before.filter((one) => one === node).length > 60);
  assert.deepEqual(
    accounts.map((account) => counterOf(account, [...nodes].reverse())),
    before,
  );
  const after = accounts.map((account) => counterOf(account, ['web-1', 'web-3']));
  assert.ok(before.every((node, i) => node === 'web-2' || node === after[i]));
});
