import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterQuery, countClusters } from './clusters.ts';

test('each cluster is counted with those of its hosts that are not well', () => {
  const counted = countClusters([
    { cluster: 'web', state: 'live' },
    { cluster: 'web', state: 'degraded' },
    { cluster: 'db', state: 'down' },
    { cluster: 'db', state: 'left' },
    { cluster: 'db', state: 'waiting' },
    { cluster: 'web', state: 'late' },
  ]);
  assert.deepEqual(counted, [
    { cluster: 'db', hosts: 3, unwell: 1 },
    { cluster: 'web', hosts: 3, unwell: 1 },
  ]);
});

test('a cluster is searched for by its name, word by word when it has several', () => {
  assert.equal(clusterQuery('web-1'), 'cluster:web-1');
  assert.equal(clusterQuery('data center'), 'data center');
});
