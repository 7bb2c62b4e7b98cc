import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedNames, checkNames, isLoopbackName } from './hosts.ts';

const none = allowedNames([]);
const some = allowedNames(['https://thrum.example.org', 'http://10.0.0.5:7070/any/path']);
const passes = (allowed: typeof none, host: string | undefined, origin?: string): boolean =>
  checkNames(allowed, { host, origin }).ok;

test('loop-back names pass with any port, with and without an origin', () => {
  for (const host of ['localhost', 'localhost:7070', '127.0.0.1:1', '127.9.9.9', '[::1]:80', 'LOCALHOST:5'])
    assert.equal(passes(none, host), true, host);
  assert.equal(passes(none, 'localhost:7070', 'http://localhost:7070'), true);
  assert.equal(passes(none, '[::1]:7070', 'http://[::1]:7070'), true);
  assert.equal(passes(none, 'LOCALHOST', 'http://localhost'), true);
});

test('a page of another program on this machine is refused: the browser sends our cookie with it', () => {
  for (const origin of ['http://localhost:5173', 'http://127.0.0.1:7070', 'http://[::1]:7070', 'http://localhost'])
    assert.equal(passes(none, 'localhost:7070', origin), false, origin);
});

test('a name of another site that was made to point here is refused by its Host header', () => {
  for (const host of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:7070',
    '10.0.0.5',
  ])
    assert.deepEqual(checkNames(none, { host, origin: undefined }), { ok: false, header: 'Host', name: host ?? '' });
  for (const host of ['localhost@evil', 'localhost:7070:1', 'local host', '127.0.0.1/x', '0177.0.0.1', '[::1'])
    assert.equal(passes(none, host), false, host);
});

test('a page of another site is refused by its Origin', () => {
  for (const origin of [
    'https://evil.example',
    'null',
    '',
    'file://',
    'http://localhost.evil.example',
    'ftp://localhost',
  ])
    assert.deepEqual(checkNames(none, { host: 'localhost:7070', origin }), {
      ok: false,
      header: 'Origin',
      name: origin,
    });
});

test('origins that were set pass as origin and as host, and only with their port', () => {
  assert.equal(passes(some, 'thrum.example.org', 'https://thrum.example.org'), true);
  assert.equal(passes(some, '10.0.0.5:7070', 'http://10.0.0.5:7070'), true);
  assert.equal(passes(some, 'thrum.example.org:444'), false);
  assert.equal(passes(some, 'thrum.example.org', 'http://thrum.example.org'), false);
});

test('what is refused is cut before it is logged', () => {
  const verdict = checkNames(none, { host: 'x'.repeat(5000), origin: undefined });
  assert.equal(!verdict.ok && verdict.name.length, 200);
});

test('only 127.0.0.0/8, ::1 and localhost are loop-back addresses', () => {
  assert.deepEqual(
    ['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', '192.168.0.1', '1270.0.0.1'].filter(isLoopbackName),
    ['127.0.0.1', '::1', 'localhost'],
  );
});
