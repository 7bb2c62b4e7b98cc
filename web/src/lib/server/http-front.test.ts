import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { allowedNames } from './hosts.ts';
import { createFrontServer, frontLimits, httpFront, isPagePath, policyOf } from './http-front.ts';

type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

const start = async (t: TestContext) => {
  const state = { ready: true };
  const http = createFrontServer(
    httpFront({
      names: allowedNames(['https://thrum.example.org']),
      policy: policyOf('<meta http-equiv="content-security-policy" content="default-src \'none\'">'),
      isReady: () => state.ready,
      api: () => (asked, response) => void response.end(`api ${asked.method} ${asked.url}`),
      isSignedIn: (asked) => asked.headers.cookie === 'in',
      figures: () => 'thrum_web_tabs 1\n',
      page: (asked, response, next) => (asked.url === '/missing.js' ? next() : response.end(`file ${asked.url}`)),
    }),
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => http.close());
  const { port } = http.address() as AddressInfo;
  const ask = (path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ port, host: '127.0.0.1', path, ...options }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.on('error', reject);
      sent.end();
    });
  return { ask, state, http, port };
};

test('every page but the list of hosts is the same shell, and files are files', async (t) => {
  const { ask } = await start(t);
  assert.equal((await ask('/?x=1')).text, 'file /');
  assert.equal((await ask('/hosts/00000000-0000-4000-8000-000000000001?range=1h')).text, 'file /sign-in');
  assert.equal((await ask('/set-up')).text, 'file /sign-in');
  assert.equal((await ask('/')).headers['cache-control'], 'no-cache');
  assert.equal((await ask('/_app/immutable/x.js')).text, 'file /_app/immutable/x.js');
  assert.equal((await ask('/missing.js')).status, 404);
  assert.deepEqual(['/', '/a/b', '/_app/x', '/favicon.svg', '/hosts/1'].map(isPagePath), [
    true,
    true,
    false,
    false,
    true,
  ]);
});

test('every answer carries the security headers', async (t) => {
  const { ask } = await start(t);
  for (const path of ['/', '/x.js', '/missing.js', '/healthz']) {
    const { headers } = await ask(path);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
  }
});

test('the figures are plain text, for those who name us rightly', async (t) => {
  const { ask } = await start(t);
  const { text, headers } = await ask('/metrics');
  assert.equal(text, 'thrum_web_tabs 1\n');
  assert.match(headers['content-type'] ?? '', /^text\/plain/);
  assert.equal((await ask('/metrics', { headers: { host: 'evil.example' } })).status, 421);
});

test('through a proxy the figures are for who is signed in', async (t) => {
  const { ask } = await start(t);
  for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
    assert.equal((await ask('/metrics', { headers: { [name]: '203.0.113.7' } })).status, 401);
    assert.equal((await ask('/metrics', { headers: { [name]: '203.0.113.7', cookie: 'in' } })).status, 200);
  }
});

test('by a name of the outside the figures are for who is signed in, also where a proxy says nothing of itself', async (t) => {
  const { ask } = await start(t);
  const headers = { host: 'thrum.example.org' };
  assert.equal((await ask('/metrics', { headers })).status, 401);
  assert.equal((await ask('/metrics', { headers: { ...headers, cookie: 'in' } })).status, 200);
});

test(
  'a connection that never finishes its request is closed, and there are only so many',
  { timeout: 30_000 },
  async (t) => {
    const { port, http } = await start(t);
    assert.equal(http.maxConnections, frontLimits.maxConnections);
    const slow = connect(port, '127.0.0.1');
    slow.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const silent = connect(port, '127.0.0.1');
    for (const socket of [slow, silent]) socket.on('error', () => undefined).resume();
    await Promise.all([once(slow, 'close'), once(silent, 'close')]);
  },
);

test('sign-in has its own paths and methods, behind the same check of names', async (t) => {
  const { ask } = await start(t);
  assert.equal((await ask('/api/sign-in', { method: 'POST' })).text, 'api POST /api/sign-in');
  assert.equal((await ask('/api/me', { headers: { host: 'evil.example' } })).status, 421);
  assert.equal(
    (await ask('/api/sign-in', { method: 'POST', headers: { origin: 'https://evil.example' } })).status,
    403,
  );
});

test('a page without a policy of its own gets one that allows nothing', () => {
  assert.equal(policyOf('<html></html>'), "default-src 'none'; frame-ancestors 'none'");
});

test('a wrong Host, a wrong Origin and a wrong method are refused', async (t) => {
  const { ask } = await start(t);
  assert.equal((await ask('/', { headers: { host: 'evil.example' } })).status, 421);
  assert.equal((await ask('/', { headers: { origin: 'https://evil.example' } })).status, 403);
  assert.equal((await ask('/', { method: 'POST' })).status, 405);
  assert.equal((await ask('/', { headers: { host: 'thrum.example.org' } })).status, 200);
});

test('a balancer asks for health by any name, and is told when the node is not ready', async (t) => {
  const { ask, state } = await start(t);
  assert.equal((await ask('/healthz', { headers: { host: '10.1.2.3' } })).status, 200);
  state.ready = false;
  assert.equal((await ask('/healthz')).status, 503);
  assert.equal((await ask('/ready')).status, 503);
  assert.equal((await ask('/alive', { headers: { host: '10.1.2.3' } })).status, 200);
});
