import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameHash, isToken, hashOf, makeResetToken, userOfResetToken } from './tokens.ts';

test('a token is itself and nothing else is', () => {
  assert.equal(isToken('abc', 'abc'), true);
  for (const wrong of ['', 'abd', 'abcd', 'ABC']) assert.equal(isToken(wrong, 'abc'), false);
  assert.equal(isSameHash(hashOf('abc'), 'short'), false);
});

test('a reset token names its user and is new every time', () => {
  const token = makeResetToken('ada@example.org');
  assert.equal(userOfResetToken(token), 'ada@example.org');
  assert.notEqual(makeResetToken('ada@example.org'), token);
  assert.match(token, /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
});

test('what is no reset token names nobody', () => {
  for (const text of ['', '.', 'YWRh', `.${'A'.repeat(43)}`, `YWRh.${'A'.repeat(42)}`, `YWRh.${'A'.repeat(43)}.x`])
    assert.equal(userOfResetToken(text), undefined, text);
});
