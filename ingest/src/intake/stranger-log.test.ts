import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietMs, StrangerLog } from './stranger-log.ts';

test('a code is worth a line once a minute, and the next line says how many were left out', () => {
  const log = new StrangerLog();
  assert.deepEqual(log.worthLogging('bad-token', 0), { leftOut: 0 });
  for (let i = 0; i < 300; i += 1) assert.equal(log.worthLogging('bad-token', i), undefined);
  assert.deepEqual(log.worthLogging('malformed', 5), { leftOut: 0 }, 'another code has its own minute');
  assert.equal(log.worthLogging('bad-token', quietMs - 1), undefined);
  assert.deepEqual(log.worthLogging('bad-token', quietMs), { leftOut: 301 });
  assert.deepEqual(log.worthLogging('bad-token', 2 * quietMs), { leftOut: 0 });
});
