import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordFault, userKey } from './credentials.ts';

test('names are the same in upper and lower case, and hold nothing that could be mistaken', () => {
  assert.equal(userKey(' Ada.Lovelace '), 'ada.lovelace');
  assert.equal(userKey('ada@example.org'), 'ada@example.org');
  for (const name of ['', ' ', '.ada', '-x', 'a b', 'a/b', 'ad\u0430', 'a\nb', '__proto__', 'x'.repeat(65)])
    assert.equal(userKey(name), undefined, JSON.stringify(name));
});

test('ten to two hundred characters, and nothing else is asked for', () => {
  assert.equal(passwordFault('ten chars.', 'ada'), undefined);
  assert.match(passwordFault('nine char', 'ada') ?? '', /at least 10/);
  assert.equal(passwordFault(`${'long words '.repeat(18)}!!`, 'ada'), undefined);
  assert.match(passwordFault('ab'.repeat(101), 'ada') ?? '', /at most 200/);
});

test('what is tried first is refused, also with digits behind it and in capitals, and so is the name', () => {
  for (const common of ['1234567890', 'Qwertyuiop', 'password2026!', 'Administrator1', 'aaaaaaaaaaaa', 'abcabcabcabc'])
    assert.match(passwordFault(common, 'ada') ?? '', /first that are tried/, common);
  assert.match(passwordFault('ada.lovelace1', 'ada.lovelace') ?? '', /little more than the name/);
});
