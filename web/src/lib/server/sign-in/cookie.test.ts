import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clearCookies, setCookie, sidsIn } from './cookie.ts';
import { schemeOf } from './scheme.ts';

const one = 'A'.repeat(43);
const other = 'B'.repeat(43);

test('over https the cookie is bound to this host and goes over https only; on plain http it has the plain name', () => {
  assert.equal(
    setCookie(one, 'https', 3600.7),
    `__Host-thrum=${one}; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=3600`,
  );
  assert.equal(setCookie(one, 'http', -5), `thrum=${one}; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`);
  assert.deepEqual(clearCookies('http'), ['thrum=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0']);
  assert.equal(clearCookies('https').length, 2);
});

test('a plain cookie is not believed where the way is encrypted: anybody on the way could have planted it', () => {
  assert.deepEqual(sidsIn(`thrum=${one}`, 'http'), [one]);
  assert.deepEqual(sidsIn(`thrum=${one}`, 'https'), []);
  assert.deepEqual(sidsIn(`thrum=${one}; __Host-thrum=${other}`, 'https'), [other]);
});

test('the cookie with the prefix comes first, and a planted one beside ours does not hide ours', () => {
  assert.deepEqual(sidsIn(`thrum=${one}; x=y; __Host-thrum=${other}`, 'http'), [other, one]);
  assert.deepEqual(sidsIn(`thrum=${one}; thrum=${other}`, 'http'), [one, other]);
});

test('what is no session id is no cookie of ours, and a flood of them is cut', () => {
  for (const header of [undefined, '', 'thrum', 'thrum=', `thrum=${one}A`, `thrum=${'*'.repeat(43)}`, `thrum2=${one}`])
    assert.deepEqual(sidsIn(header, 'http'), [], header);
  assert.deepEqual(sidsIn(`thrum=${one};`.repeat(300), 'http'), []);
  assert.equal(sidsIn(`thrum=${one};`.repeat(50), 'http').length, 4);
});

test('the scheme is what the page says of itself; without a word, what its name is known with', () => {
  const origins = new Set(['https://thrum.example.org', 'http://both.example.org', 'https://both.example.org']);
  const scheme = (host: string, origin?: string): string => schemeOf({ host, origin }, origins);
  assert.equal(scheme('localhost:7070', 'https://thrum.example.org'), 'https');
  assert.equal(scheme('thrum.example.org', 'http://thrum.example.org'), 'http');
  assert.equal(scheme('thrum.example.org'), 'https');
  assert.equal(scheme('both.example.org'), 'http');
  assert.equal(scheme('localhost:7070'), 'http');
});
