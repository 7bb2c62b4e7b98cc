import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { scenarioOptions } from '../store-scenario.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';

/** Answers for the health of the cluster and for nothing else. */
const startMute = async (t: { after(run: () => void): void }): Promise<string> => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/_c') !== true) return;
    response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
    response.end('{"status":"green"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

test('a server that is away is said so at once, one that does not answer within the deadline', async (t) => {
  const away = openElasticsearchStore(scenarioOptions('elasticsearch:http://127.0.0.1:9'));
  t.after(() => away.close());
  await eventually(() => away.health().detail !== '');
  const refused = await away.documents.get('users', 'ada', { deadlineMs: 60_000 });
  assert.equal(!refused.ok && refused.code, 'store-away');

  const mute = openElasticsearchStore(scenarioOptions(`elasticsearch:${await startMute(t)}`));
  t.after(() => mute.close());
  await eventually(() => mute.health().state === 'ready');
  for (const outcome of await Promise.all([
    mute.documents.get('users', 'ada', { deadlineMs: 200 }),
    mute.documents.put('users', 'ada', {}, null, { deadlineMs: 200 }),
    mute.documents.delete('users', 'ada', '1.1', { deadlineMs: 200 }),
    mute.documents.list('users', { deadlineMs: 200 }),
  ]))
    assert.equal(!outcome.ok && 'code' in outcome && outcome.code, 'store-away');
});
