import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { haproxyTemplate, renderHaproxy, type Balanced } from './haproxy.ts';

const balanced = (statsSocket: string): Balanced => ({
  agents: '127.0.0.1:20001',
  dashboard: '127.0.0.1:20002',
  ingest: [1, 2, 3].map((n) => ({ name: `ingest-${n}`, address: `127.0.0.1:2010${n}` })),
  web: [{ name: 'web-1', address: '127.0.0.1:20201' }],
  statsSocket,
});

/** What HAProxy itself says about a configuration; skips where there is no HAProxy. */
const judged = (t: TestContext, config: string): { status: number | null; text: string } | undefined => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-haproxy-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'haproxy.cfg'), config);
  const { status, stderr, error } = spawnSync('haproxy', ['-c', '-f', 'haproxy.cfg'], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (error) {
    t.skip('haproxy is not installed');
    return undefined;
  }
  return { status, text: stderr };
};

test('HAProxy takes the configuration as it stands in the repository, without a warning', (t) => {
  const verdict = judged(t, haproxyTemplate());
  if (verdict) assert.deepEqual({ ...verdict, text: verdict.text.trim() }, { status: 0, text: '' });
});

test('HAProxy takes a configuration written for other nodes', (t) => {
  const verdict = judged(t, renderHaproxy(haproxyTemplate(), balanced('s.sock')));
  if (verdict) assert.equal(verdict.status, 0, verdict.text);
});

test('a rendered configuration has the given nodes and no others', () => {
  const config = renderHaproxy(haproxyTemplate(), balanced('/run/a.sock'));
  assert.deepEqual(config.match(/(?<=\n {4})server \S+ \S+/g), [
    'server ingest-1 127.0.0.1:20101',
    'server ingest-2 127.0.0.1:20102',
    'server ingest-3 127.0.0.1:20103',
    'server web-1 127.0.0.1:20201',
  ]);
  assert.deepEqual(config.match(/bind \S+/g), ['bind 127.0.0.1:20001', 'bind 127.0.0.1:20002']);
  assert.match(config, /stats socket unix@\/run\/a\.sock mode 600/);
});

test('the pace at which agents are let in grows with the ingest nodes', () => {
  const config = renderHaproxy(haproxyTemplate(), balanced('s.sock'));
  assert.match(config, /frontend agents\n(?: .*\n)* {4}rate-limit sessions 750\n {4}backlog 2250\n/);
  assert.match(haproxyTemplate(), /rate-limit sessions 500\n {4}backlog 1500\n/);
});

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};

test('agents that come all at once are let in at that pace, and none is turned down', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-haproxy-'));
  t.after(() => rmSync(directory, { recursive: true }));
  // A connection that is kept and closed in the moment it is used again would be a fault of the test.
  const node = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end());
  await new Promise<void>((listening) => node.listen(0, '127.0.0.1', listening));
  t.after(() => node.close());
  const nodeAddress = `127.0.0.1:${(node.address() as AddressInfo).port}`;
  const [agents, dashboard] = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`);
  const config = renderHaproxy(haproxyTemplate(), {
    ...{ agents: agents ?? '', dashboard: dashboard ?? '', statsSocket: 's.sock' },
    ...{ ingest: [{ name: 'ingest-1', address: nodeAddress }], web: [{ name: 'web-1', address: nodeAddress }] },
  });
  writeFileSync(join(directory, 'haproxy.cfg'), config);
  const haproxy = spawn('haproxy', ['-db', '-f', 'haproxy.cfg'], { cwd: directory, stdio: 'ignore' });
  const failed = await new Promise((settled) => {
    haproxy.once('error', settled);
    haproxy.once('spawn', () => settled(undefined));
  });
  if (failed) return t.skip('haproxy is not installed');
  const ended = once(haproxy, 'exit');
  t.after(async () => {
    haproxy.kill('SIGKILL');
    await ended;
  });
  const statusOf = (): Promise<number | undefined> =>
    new Promise((settled) => {
      const asking = request(`http://${agents}/`, { agent: false }, (response) => {
        response.resume();
        settled(response.statusCode);
      });
      asking.once('error', () => settled(undefined)).end();
    });
  await eventually(async () => assert.equal(await statusOf(), 200));
  const startMs = performance.now();
  const statuses = await Promise.all(Array.from({ length: 700 }, statusOf));
  const tookMs = performance.now() - startMs;
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.ok(tookMs > 1000, `${Math.round(tookMs)} ms`);
});

test('sessions go round robin without stickiness, and a sick node loses its connections', () => {
  const config = haproxyTemplate();
  assert.equal(config.match(/balance roundrobin/g)?.length, 2);
  assert.doesNotMatch(config, /^\s*(cookie|stick)/m);
  assert.match(config, /on-marked-down shutdown-sessions/);
});

test('a template that lost a line, and a socket path that would not fit, are refused', () => {
  assert.throws(() => renderHaproxy('global\n', balanced('s.sock')), /no line for the socket/);
  assert.throws(() => renderHaproxy(haproxyTemplate(), balanced(`/${'x'.repeat(100)}`)), /longer than 90/);
});
