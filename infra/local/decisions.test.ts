import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { helpText, readSettings } from '@thrum/actors/system/settings';
import { meshSettings, startSettings } from './launcher-settings.ts';
import { greeting, programsOf, type OneMachine } from './one-machine.ts';
import { freePort, portOr, whyNotFree } from './ports.ts';
import { programOf } from './programs.ts';
import { parseReadyLine } from './ready-line.ts';
import { afterEnding, describeEnding } from './restart-policy.ts';
import { spokenTo } from './spoken.ts';

const crash = { code: 1, signal: null };

test('each crash in a row waits twice as long, up to 30 s, and a healthy run forgets them', () => {
  const waits: number[] = [];
  let failures = 0;
  for (let i = 0; i < 9; i += 1) {
    const verdict = afterEnding(crash, 100, failures);
    assert.ok(verdict.restart);
    waits.push(verdict.afterMs);
    failures = verdict.failures;
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(afterEnding(crash, 60_000, failures), { restart: true, failures: 1, afterMs: 500 });
});

test('wrong settings are final, a kill is not', () => {
  assert.deepEqual(afterEnding({ code: 2, signal: null }, 100, 0), { restart: false });
  assert.equal(afterEnding({ code: null, signal: 'SIGKILL' }, 100, 0).restart, true);
  assert.equal(describeEnding({ code: null, signal: 'SIGKILL' }), 'signal SIGKILL');
  assert.equal(describeEnding(crash), 'exit code 1');
});

test('a ready line is known among other lines', () => {
  assert.deepEqual(parseReadyLine('{"ready":"ingest","port":7071,"meshPort":7072,"node":"n","more":1}'), {
    ready: 'ingest',
    port: 7071,
    meshPort: 7072,
    node: 'n',
  });
  assert.deepEqual(parseReadyLine('{"ready":"agent","port":"7"}'), { ready: 'agent' });
  for (const line of ['', 'ready', '{"ready":1}', '{}', '{', '[1]', 'null'])
    assert.equal(parseReadyLine(line), undefined);
});

test('options of the launchers are read, and everything wrong is named at once', () => {
  const good = readSettings(startSettings, { env: {}, argv: ['--port', '8080', '--data', '/tmp/x'] });
  assert.ok(good.ok);
  assert.deepEqual([good.values.port, good.values.data, good.values.ingestPort], [8080, '/tmp/x', 7071]);
  const bad = readSettings(startSettings, { env: {}, argv: ['--prot', '1', '--port', '99999'] });
  assert.ok(!bad.ok);
  assert.match(bad.message, /--prot: no such option/);
  assert.match(bad.message, /--port: expected .*'99999'/);
  const mesh = readSettings(meshSettings, {
    env: {},
    argv: ['--ingest', '3', '--web=1', '--elasticsearch', 'http://e:9200'],
  });
  assert.ok(mesh.ok);
  assert.deepEqual([mesh.values.ingest, mesh.values.web, mesh.values.agents], [3, 1, 3]);
});

test('no program warns about a setting of its launcher', () => {
  for (const spec of [startSettings, meshSettings]) {
    const names = helpText(spec, 'npm start --').match(/THRUM_[A-Z_]+/g) ?? [];
    assert.ok(names.length >= 7);
    const reading = readSettings({}, { env: Object.fromEntries(names.map((name) => [name, '1'])), argv: [] });
    assert.ok(reading.ok);
    assert.deepEqual(reading.warnings, []);
  }
});

const one: OneMachine = {
  file: (...names) => ['/data', ...names].join('/'),
  ports: { dashboard: 7070, ingest: 7071, ingestMesh: 7072, webMesh: 7073, agentMetrics: 7079 },
  ingestBind: '127.0.0.1',
  store: undefined,
  setUpToken: 'token-of-the-set-up-link',
  inherited: { PATH: '/bin', THRUM_PORT: '1', THRUM_RETENTION_DAYS: '2', THRUM_TOKEN: 'given to the launcher' },
};

test('on one machine the three programs know one another, and no secret is in a setting or an argument', () => {
  const { ingest, web, agent } = programsOf(one);
  assert.equal(ingest.env['THRUM_PORT'], '7071');
  assert.equal(ingest.env['THRUM_STORE'], 'duckdb:/data/ingest/thrum.duckdb');
  assert.equal(ingest.env['THRUM_MESH_SEEDS'], `127.0.0.1:${web.env['THRUM_MESH_PORT']}`);
  assert.equal(web.env['THRUM_MESH_SEEDS'], `127.0.0.1:${ingest.env['THRUM_MESH_PORT']}`);
  assert.equal(agent.env['THRUM_INGEST'], 'http://127.0.0.1:7071');
  assert.equal(web.env['THRUM_TOKEN'], undefined); // the web node needs no agents' token
  for (const program of [ingest, web, agent]) {
    assert.equal(program.env['THRUM_BIND'], '127.0.0.1');
    assert.ok(program.args.every((argument) => argument.startsWith('--max-') || argument.endsWith('.ts')));
  }
  assert.equal(agent.env['THRUM_TOKEN'], '@/data/token');
});

test('settings of a program that the launcher does not decide are handed on', () => {
  const program = programOf('ingest', 'ingest', { THRUM_PORT: '5' }, one.inherited);
  assert.deepEqual(
    [program.env['PATH'], program.env['THRUM_RETENTION_DAYS'], program.env['THRUM_PORT'], program.env['THRUM_TOKEN']],
    ['/bin', '2', '5', undefined],
  );
});

test('the store and its passwords reach ingest alone', () => {
  const secrets = {
    THRUM_ELASTICSEARCH: 'https://me:hunter2@es:9200',
    THRUM_STORE_API_KEY: 'hunter2',
    THRUM_STORE_CA: '/ca.pem',
    THRUM_STORE_PASSWORD: 'hunter2',
    THRUM_STORE_USER: 'me',
  };
  const { ingest, web, agent } = programsOf({
    ...one,
    store: 'elasticsearch:https://me:hunter2@es:9200',
    inherited: { ...one.inherited, ...secrets },
  });
  assert.equal(ingest.env['THRUM_STORE_PASSWORD'], 'hunter2');
  assert.equal(ingest.env['THRUM_STORE_USER'], 'me');
  for (const { env } of [web, agent]) {
    assert.deepEqual(
      Object.keys(env).filter((key) => key.startsWith('THRUM_STORE')),
      [],
    );
    assert.doesNotMatch(JSON.stringify(env), /hunter2/);
  }
});

test('the greeting shows the address of the store without its password', () => {
  const text = greeting(
    { ...one, store: 'elasticsearch:https://me:hunter2@a:9200,https://me:hunter2@b:9200' },
    1,
    'done',
  );
  assert.match(text, /elasticsearch:https:\/\/\*\*\*@a:9200,https:\/\/\*\*\*@b:9200/);
  assert.doesNotMatch(text, /hunter2/);
});

test('the greeting names the dashboard, the data and the file of the token', () => {
  const text = greeting(one, 1234, 'done');
  for (const part of ['http://localhost:7070/', '/data', '/data/token', '--ingest-bind 0.0.0.0', '1.2 s'])
    assert.ok(text.includes(part), part);
  assert.equal(greeting({ ...one, ingestBind: '0.0.0.0' }, 1, 'done').includes('--ingest-bind'), false);
});

test('a port in use is known by its reason, and a free one is free', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  assert.equal(await whyNotFree(port), 'EADDRINUSE');
  const free = await freePort();
  assert.equal(await whyNotFree(free), undefined);
  assert.equal(await portOr(5), 5);
  assert.notEqual(await portOr(0), free);
});

test('warnings of a start are held back, shown when it fails, forgotten when it does not; errors are shown at once', () => {
  const warning = '{"level":"warn","time":0,"name":"web","msg":"no link"}';
  const run = (holdBack: boolean, end: 'up' | 'failed'): string[] => {
    const shown: string[] = [];
    const spoken = spokenTo((text) => shown.push(text.trimEnd()), holdBack);
    spoken.say('web', warning);
    spoken.say('web', 'Error: thrown');
    spoken[end]();
    spoken.say('web', warning);
    return shown;
  };
  const line = 'web      00:00:00.000 warn  web: no link';
  const thrown = 'web      Error: thrown';
  assert.deepEqual(run(true, 'up'), [thrown, line]);
  assert.deepEqual(run(true, 'failed'), [thrown, line, line]);
  assert.deepEqual(run(false, 'up'), [line, thrown, line]);
});
