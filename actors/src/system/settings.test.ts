import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  addresses,
  choice,
  directory,
  file,
  flag,
  helpText,
  integer,
  labels,
  list,
  port,
  readSettings,
  secret,
  text,
  url,
  urls,
} from './settings.ts';

const spec = {
  nodeName: text({ help: 'name of this node', default: undefined, pattern: /^[a-z-]+$/ }),
  meshPort: port({ help: 'port of the mesh', default: 7072 }),
  meshKey: secret({ help: 'key of the mesh', minChars: 16 }),
  meshSeeds: addresses({ help: 'nodes to dial', default: [] }),
  logLevel: choice(['debug', 'info'], { help: 'what is logged', default: 'info' }),
  openToAll: flag({ help: 'bind anything', default: false }),
};
const key = 'a key of many characters';

const failure = (env: Record<string, string>, argv: readonly string[] = []): string => {
  const reading = readSettings(spec, { env, argv });
  assert.ok(!reading.ok);
  return reading.message;
};

test('what is not set takes its default', () => {
  const reading = readSettings(spec, { env: { THRUM_MESH_KEY: key }, argv: [] });
  assert.ok(reading.ok);
  assert.deepEqual(reading.values, {
    nodeName: undefined,
    meshPort: 7072,
    meshKey: key,
    meshSeeds: [],
    logLevel: 'info',
    openToAll: false,
  });
});

test('a password in an address that is wrong is not repeated', () => {
  const message = failure({
    THRUM_MESH_KEY: key,
    THRUM_MESH_SEEDS: 'http://me:hunter2@host:1,https://me:hun@ter2@other',
  });
  assert.match(message, /got 'http:\/\/\*\*\*@host:1,https:\/\/\*\*\*@other'/);
  assert.doesNotMatch(message, /hun|ter2/);
});

test('an option wins over the variable of the same setting', () => {
  const env = { THRUM_MESH_KEY: key, THRUM_MESH_PORT: '1', THRUM_LOG_LEVEL: 'debug' };
  const reading = readSettings(spec, { env, argv: ['--mesh-port', '2', '--log-level=info', '--open-to-all'] });
  assert.ok(reading.ok);
  assert.equal(reading.values.meshPort, 2);
  assert.equal(reading.values.logLevel, 'info');
  assert.equal(reading.values.openToAll, true);
});

test('one message names every bad value, one per line', () => {
  const message = failure({ THRUM_MESH_PORT: '70000', THRUM_LOG_LEVEL: 'loud' }, [
    '--mesh-seeds',
    'nowhere',
    '--x-y',
    '3',
  ]);
  assert.deepEqual(
    message.split('\n').map((line) => line.slice(0, line.indexOf(':'))),
    ['--x-y', '3', 'THRUM_MESH_PORT', 'THRUM_MESH_KEY', '--mesh-seeds', 'THRUM_LOG_LEVEL'],
  );
  assert.match(message, /THRUM_MESH_PORT: expected a whole number from 0 to 65535, got '70000'/);
});

test('an option without its value is named', () => {
  assert.match(failure({ THRUM_MESH_KEY: key }, ['--mesh-port']), /^--mesh-port: expected a value/);
  assert.match(failure({ THRUM_MESH_KEY: key }, ['--mesh-port', '--open-to-all']), /^--mesh-port: expected a value/);
});

test('a wrong secret is never repeated', () => {
  const message = failure({ THRUM_MESH_KEY: 'hush' });
  assert.match(message, /at least 16 characters/);
  assert.doesNotMatch(message, /hush/);
});

test('a secret that begins with @ is read from the file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'thrum-settings-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'key');
  writeFileSync(path, `${key}\n`);
  const reading = readSettings(spec, { env: { THRUM_MESH_KEY: `@${path}` }, argv: [] });
  assert.ok(reading.ok);
  assert.equal(reading.values.meshKey, key);
  assert.match(failure({ THRUM_MESH_KEY: `@${join(folder, 'absent')}` }), /absent: ENOENT/);
});

test('a variable of another role passes, an unknown one is warned about', () => {
  const env = { THRUM_MESH_KEY: key, THRUM_TOKEN: 'x', THRUM_MESH_PROT: '7', THRUM_TEST_ELASTICSEARCH: 'http://x' };
  const reading = readSettings(spec, { env, argv: [] });
  assert.ok(reading.ok);
  assert.deepEqual(reading.warnings, ['THRUM_MESH_PROT: no setting has this name; it is ignored']);
});

test('an empty variable is as if it were not set', () => {
  const reading = readSettings(spec, { env: { THRUM_MESH_KEY: key, THRUM_MESH_PORT: '' }, argv: [] });
  assert.ok(reading.ok && reading.values.meshPort === 7072);
});

test('help lists every option with its variable and default, and never a secret', () => {
  const help = helpText({ ...spec, token: secret({ help: 'token', default: 'hush' }) }, 'ingest');
  assert.match(help, /--mesh-port PORT +THRUM_MESH_PORT +port of the mesh \(default 7072\)/);
  assert.match(help, /--mesh-key SECRET\|@FILE +THRUM_MESH_KEY +key of the mesh \(required\)/);
  assert.match(help, /--open-to-all +THRUM_OPEN_TO_ALL/);
  assert.doesNotMatch(help, /hush/);
});

const kinds: readonly [string, { parse(raw: string): { ok: boolean } }, readonly string[], readonly string[]][] = [
  ['integer', integer({ help: '', min: -5, max: 5 }), ['-5', '0', '5'], ['6', '1.5', '', '0x1', '1e1', 'NaN', ' 1']],
  ['port', port({ help: '' }), ['0', '65535'], ['-1', '65536', 'http']],
  ['flag', flag({ help: '' }), ['yes', 'No', 'TRUE', '0'], ['maybe', '']],
  ['list', list({ help: '' }), ['a, b', ''], []],
  ['addresses', addresses({ help: '' }), ['a:1,[::1]:2', '10.0.0.1:80'], ['a', 'a:0', 'a:70000', 'http://a:1', ':1']],
  ['labels', labels({ help: '', max: 2 }), ['a=b,c=', ''], ['a', '=b', 'a=1,a=2', 'a=1,b=2,c=3']],
  ['url', url({ help: '' }), ['http://a:1', 'https://a/b'], ['a:1', 'ftp://a', 'http://', '']],
  ['urls', urls({ help: '' }), ['http://a,http://b'], ['', 'http://a,b']],
  ['directory', directory({ help: '' }), ['a/b', '/'], ['', 'a\0b']],
  ['file', file({ help: '' }), [import.meta.filename], ['/no/such/file', '', tmpdir()]],
];
for (const [name, field, good, wrong] of kinds)
  test(`${name} takes what it means and refuses the rest`, () => {
    for (const raw of good) assert.equal(field.parse(raw).ok, true, `'${raw}'`);
    for (const raw of wrong) assert.equal(field.parse(raw).ok, false, `'${raw}'`);
  });

test('a URL loses the slash at its end', () => {
  assert.deepEqual(url({ help: '' }).parse('http://a:1/'), { ok: true, value: 'http://a:1' });
  assert.deepEqual(url({ help: '' }).parse('http://a:1/b/'), { ok: true, value: 'http://a:1/b' });
});
