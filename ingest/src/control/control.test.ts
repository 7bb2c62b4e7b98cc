import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '@thrum/actors/system/log';
import { answer, createControlServer } from './control.ts';

const options = {
  log: silentLog,
  health: () => ({ ready: true, body: { ready: true, store: { state: 'away' } } }),
  metrics: () => 'thrum_ingest_x 1\n',
  maxConnections: 100,
  token: 'a token of agents',
};

test('a node whose store is away is healthy and says so', () => {
  const { status, body } = answer('GET', '/healthz', options, true);
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { ready: true, store: { state: 'away' } });
});

test('a node that is not ready says so with its status, but is alive', () => {
  const starting = { ...options, health: () => ({ ready: false, body: { ready: false } }) };
  assert.equal(answer('GET', '/healthz', starting, true).status, 503);
  assert.equal(answer('GET', '/ready?x=1', starting, true).status, 503);
  assert.equal(answer('GET', '/alive', starting, true).status, 200);
});

test('only reading is answered, and only known paths', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    assert.equal(answer(method, '/metrics', options, true).status, 405);
  for (const path of ['/', '/metrics/', '/../etc/passwd', '//', '/healthzz'])
    assert.equal(answer('GET', path, options, true).status, 404, path);
});

test('names of nodes and figures are for programs on this machine, or with the token; health itself is for everybody', async (t) => {
  const server = createControlServer(options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string, headers: Record<string, string>): Promise<[number, string]> => {
    const sent = request({ port, host: '127.0.0.1', path, headers }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return [response.statusCode ?? 0, Buffer.concat(await response.toArray()).toString()];
  };
  const strangers: Record<string, string>[] = [
    { 'x-forwarded-for': '203.0.113.7' },
    { host: 'rebound.example' },
    { via: '1.1 proxy', authorization: 'Bearer another token' },
  ];
  for (const headers of strangers) {
    assert.deepEqual(await ask('/healthz', headers), [200, '{"ready":true}\n']);
    assert.equal((await ask('/metrics', headers))[0], 401);
  }
  const withToken = { 'x-forwarded-for': '203.0.113.7', authorization: `Bearer ${options.token}` };
  for (const headers of [{}, withToken]) {
    assert.match((await ask('/healthz', headers))[1], /"store"/);
    assert.deepEqual(await ask('/metrics', headers), [200, 'thrum_ingest_x 1\n']);
  }
});

test('a fault while answering is one answer 500, and the server goes on', async () => {
  const server = createControlServer({
    ...options,
    metrics: () => {
      throw new Error('out of numbers');
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 500);
  const healthy = await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.equal(healthy.status, 200);
  assert.equal(healthy.headers.get('cache-control'), 'no-store');
  server.close();
  server.closeAllConnections();
});

test('a connection that never finishes its request is closed', { timeout: 30_000 }, async () => {
  const server = createControlServer(options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const slow = connect((server.address() as AddressInfo).port, '127.0.0.1');
  slow.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (const socket of [slow, silent]) socket.on('error', () => undefined).resume();
  await Promise.all([once(slow, 'close'), once(silent, 'close')]);
  server.close();
});
