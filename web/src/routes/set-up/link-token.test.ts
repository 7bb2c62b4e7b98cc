import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLinkToken } from './link-token.ts';

const secret = 'A'.repeat(43);

test('a token without a name sets Thrum up, one with a name sets that password anew', () => {
  assert.deepEqual(readLinkToken(`#${secret}`), { kind: 'set-up', token: secret });
  const token = `${Buffer.from('ada').toString('base64url')}.${secret}`;
  assert.deepEqual(readLinkToken(`#${token}`), { kind: 'reset', token, user: 'ada' });
});

test('what no link has is no token', () => {
  for (const hash of ['', '#', '#short', `#${secret} `, `#<script>${secret}`, `#${'x'.repeat(401)}`, `#A.${secret}`])
    assert.deepEqual(readLinkToken(hash), { kind: 'none' }, hash);
});
