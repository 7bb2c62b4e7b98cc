/** The program itself: what keeps it from starting, that it starts without its store, and that a value goes the whole way. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { startLinks } from '@thrum/actors/link/links';
import { startMeshActors } from '@thrum/actors/link/mesh-actors';
import { askService } from '@thrum/actors/link/named-service';
import type { HistoryOutcome } from '@thrum/actors/wire/question';
import { sampleOf, TestAgent, token } from './intake/intake.contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'thrum-ingest-'));
const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});
const meshKey = 'the key of this mesh';
const good = {
  THRUM_TOKEN: token,
  THRUM_MESH_KEY: meshKey,
  THRUM_PORT: '0',
  THRUM_MESH_PORT: '0',
  THRUM_LOG_LEVEL: 'warn',
};

const run = (settings: Record<string, string>, options: readonly string[] = []) => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THRUM_')));
  const child = spawn(process.execPath, [new URL('main.ts', import.meta.url).pathname, ...options], {
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const ready = async (): Promise<{ port: number; meshPort: number; node: string }> => {
    await eventually(() => assert.match(said.out, /"ready":"ingest"/, said.err), { withinMs: 30_000 });
    return JSON.parse(said.out) as { port: number; meshPort: number; node: string };
  };
  const stop = async (): Promise<void> => {
    const sinceMs = performance.now();
    child.kill('SIGTERM');
    assert.equal(await ended, 0, said.err);
    assert.ok(performance.now() - sinceMs < 5_000);
  };
  return { said, ended, ready, stop };
};
const refuses = async (settings: Record<string, string>, message: RegExp, options: readonly string[] = []) => {
  const { said, ended } = run(settings, options);
  assert.equal(await ended, 2, said.err);
  assert.match(said.err, message);
  assert.equal(said.out, '');
};
const duckdb = (name: string): Record<string, string> => ({ ...good, THRUM_STORE: `duckdb:${join(directory, name)}` });

test('wrong settings are named together in one message, secrets not repeated, and nothing starts', async () => {
  const settings = { ...good, THRUM_PORT: '70000', THRUM_STORE: 'mysql:x', THRUM_MESH_KEY: 'short secret' };
  await refuses(settings, /THRUM_PORT: .*\n.*THRUM_MESH_KEY: .*\n.*THRUM_STORE: /);
  const { said, ended } = run(settings);
  await ended;
  assert.ok(!said.err.includes('short secret'));
  await refuses(good, /--no-such-thing: no such option/, ['--no-such-thing']);
});

test('a port in use, for agents or for the mesh, is named', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = String((taken.address() as AddressInfo).port);
  await refuses({ ...duckdb('a'), THRUM_PORT: port }, new RegExp(`${port}: the port is in use.*THRUM_PORT`));
  await refuses({ ...duckdb('b'), THRUM_MESH_PORT: port }, new RegExp(`mesh.*${port}.*in use`));
  taken.close();
});

test('a directory that cannot be made and a catalogue that clashes are named', async () => {
  const file = join(directory, 'a-file');
  writeFileSync(file, '[{"name":"cpu"}]');
  await refuses({ ...good, THRUM_STORE: `duckdb:${file}/x/db` }, /directory .*a-file\/x/);
  await refuses({ ...duckdb('c'), THRUM_CATALOGUE: file }, /THRUM_CATALOGUE: .*a-file/);
});

test('with Elasticsearch away the node starts, says so, serves agents, and stops in order', async () => {
  const node = run({ ...good, THRUM_STORE: 'elasticsearch:http://127.0.0.1:1' });
  const { port } = await node.ready();
  const health = await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.equal(health.status, 200);
  const body = (await health.json()) as { store: { state: string } };
  assert.notEqual(body.store.state, 'ready');
  await eventually(() => assert.match(node.said.err, /does not answer/));
  const agent = new TestAgent(`http://127.0.0.1:${port}`, {});
  await agent.greet();
  agent.send([sampleOf('load', { load1: 1 })]);
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await eventually(async () => assert.match(await metrics(), /^thrum_ingest_live_batches 1$/m));
  for (const line of (await metrics()).trimEnd().split('\n'))
    assert.match(line, /^(# TYPE [a-z0-9_]+ untyped|[a-z0-9_]+(\{code="[a-z-]+"\})? [0-9.e+-]+)$/);
  assert.equal(agent.acks.length, 0);
  await node.stop();
  await agent.isRefused('leaving');
});

test('a value that an agent sends is stored, acknowledged, and in the answer to a question over the mesh', async () => {
  const node = run(duckdb('d'));
  const { port, meshPort, node: name } = await node.ready();
  const agent = new TestAgent(`http://127.0.0.1:${port}`, {});
  await agent.greet();
  const nowMs = Date.now();
  const seq = agent.send([sampleOf('load', { load1: 4.25 }, { timeMs: nowMs })]);
  await eventually(() => assert.ok(agent.acknowledged(seq)));

  const system = createActorSystem({ name: 'web', clock: systemClock, log: silentLog });
  const self = { id: 'web-1', name: 'web-1', role: 'web' } as const;
  const links = await startLinks({
    self,
    key: meshKey,
    bind: '127.0.0.1',
    port: 0,
    seeds: [`127.0.0.1:${meshPort}`],
    system,
  });
  const actors = startMeshActors({ links, system });
  await eventually(() => assert.equal(actors.lookup('history')[0]?.node.name, name));
  const question = { target: 'load', metrics: ['load1'], host: agent.hello.host, points: 10, aggregate: 'max' };
  const when = { fromMs: nowMs - 60_000, toMs: nowMs + 60_000 };
  const answer = await askService(actors, name, 'history', { ...question, ...when }, { deadlineMs: 5_000 });
  assert.ok(answer.ok, JSON.stringify(answer));
  const outcome = answer.value as HistoryOutcome;
  assert.ok(outcome.ok, JSON.stringify(outcome));
  assert.deepEqual(
    outcome.series[0]?.values[0]?.filter((value) => value !== null),
    [4.25],
  );
  agent.socket.disconnect();
  await links.close();
  await system.stop();
  await node.stop();
});
