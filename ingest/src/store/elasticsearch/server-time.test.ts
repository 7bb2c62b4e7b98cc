import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverTimeMs } from './server-time.ts';

test('the time is that of the node that answered', () => {
  assert.equal(serverTimeMs({ nodes: { a: { timestamp: 1_790_000_000_123 } } }), 1_790_000_000_123);
});

test('any other answer says nothing', () => {
  for (const body of [undefined, null, '', 7, {}, { nodes: null }, { nodes: 7 }, { nodes: {} }, { nodes: { a: null } }])
    assert.equal(serverTimeMs(body), undefined);
  assert.equal(serverTimeMs({ nodes: { a: { timestamp: 'now' } } }), undefined);
});
