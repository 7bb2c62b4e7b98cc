import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '@thrum/actors/system/settings';
import { webSpec } from './config.ts';

const key = 'a key of the mesh';

test('a mesh key is all a web node must be told', () => {
  const reading = readSettings(webSpec, { env: { THRUM_MESH_KEY: key }, argv: [] });
  assert.ok(reading.ok);
  assert.deepEqual([reading.values.bind, reading.values.port, reading.values.meshPort], ['127.0.0.1', 7070, 7072]);
});

test('every wrong setting is named', () => {
  const env = { THRUM_PORT: 'x', THRUM_MESH_KEY: 'short', THRUM_ORIGINS: 'nowhere', THRUM_MESH_SEEDS: 'a' };
  const reading = readSettings(webSpec, { env, argv: [] });
  assert.ok(!reading.ok);
  for (const name of Object.keys(env)) assert.match(reading.message, new RegExp(`^${name}:`, 'm'));
  assert.doesNotMatch(reading.message, /short/);
});

test('a token of a set-up link that could be guessed is refused, and never repeated', () => {
  const env = { THRUM_MESH_KEY: key, THRUM_SETUP_TOKEN: 'guess-me' };
  const reading = readSettings(webSpec, { env, argv: [] });
  assert.ok(!reading.ok);
  assert.match(reading.message, /^THRUM_SETUP_TOKEN: expected a secret of at least 27 characters/);
  assert.doesNotMatch(reading.message, /guess-me/);
});
