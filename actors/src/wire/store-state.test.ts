import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeStoreState, encodeStoreState } from './store-state.ts';

test('what an ingest node says of its store arrives as it was said', () => {
  for (const awaySinceMs of [null, 1_790_000_000_000])
    assert.deepEqual(decodeStoreState(encodeStoreState({ awaySinceMs })), { awaySinceMs });
});

test('what is no state of a store is none', () => {
  for (const text of ['', '{', '[]', '{}', '{"awaySinceMs":"1"}', `{"awaySinceMs":${' '.repeat(200)}1}`])
    assert.equal(decodeStoreState(new TextEncoder().encode(text)), undefined, text);
});
