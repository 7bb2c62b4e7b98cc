import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '@thrum/actors/system/settings';
import { refuseSettings, webSpec } from './config.ts';

const key = 'a key of the mesh';

test('a mesh key is all a web node must be told', () => {
  const reading = readSettings(webSpec, { env: { THRUM_MESH_KEY: key }, argv: [] });
  assert.ok(reading.ok);
  assert.deepEqual([reading.values.bind, reading.values.port, reading.values.meshPort], ['127.0.0.1', 7070, 7072]);
  assert.equal(refuseSettings(reading.values), undefined);
});

test('every wrong setting is named', () => {
  const env = { THRUM_PORT: 'x', THRUM_MESH_KEY: 'short', THRUM_ORIGINS: 'nowhere', THRUM_MESH_SEEDS: 'a' };
  const reading = readSettings(webSpec, { env, argv: [] });
  assert.ok(!reading.ok);
  for (const name of Object.keys(env)) assert.match(reading.message, new RegExp(`^${name}:`, 'm'));
  assert.doesNotMatch(reading.message, /short/);
});

test('an address that others reach takes a word from whoever starts it', () => {
  for (const bind of ['0.0.0.0', '::', '192.168.1.5', 'thrum.example.org'])
    assert.match(refuseSettings({ bind, openToAll: false }) ?? '', /THRUM_OPEN_TO_ALL=yes/);
  for (const bind of ['127.0.0.1', '::1', 'localhost'])
    assert.equal(refuseSettings({ bind, openToAll: false }), undefined);
  assert.equal(refuseSettings({ bind: '0.0.0.0', openToAll: true }), undefined);
});
