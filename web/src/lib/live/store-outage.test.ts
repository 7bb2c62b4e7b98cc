import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IngestNode } from '@thrum/actors/wire/web-to-browser';
import { storeOutage } from './store-outage.ts';

const node = (name: string, storeAwaySinceMs: number | null): IngestNode => ({ id: name, name, storeAwaySinceMs });

test('a store that answers, or is away for a moment only, is nothing to say', () => {
  assert.equal(storeOutage([], 10_000), undefined);
  assert.equal(storeOutage([node('a', null), node('b', null)], 10_000), undefined);
  assert.equal(storeOutage([node('a', 7_001)], 10_000), undefined);
});

test('a store that answers nobody is away since the first of them noticed', () => {
  assert.deepEqual(storeOutage([node('a', 6_000), node('b', 5_000)], 10_000), { sinceMs: 5_000, nodes: undefined });
});

test('when it answers some ingest nodes, the others are named', () => {
  const outage = storeOutage([node('a', null), node('b', 5_000), node('c', 9_000)], 10_000);
  assert.deepEqual(outage, { sinceMs: 5_000, nodes: ['b'] });
});
