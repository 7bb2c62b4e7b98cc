import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { StoreError } from '../store-error.ts';
import { scenarioOptions } from '../store-scenario.ts';
import { openStore } from '../open-store.ts';
import { createElasticsearchClient } from './client.ts';

const complaintAbout = (url: string): string => {
  try {
    createElasticsearchClient(scenarioOptions(url));
  } catch (error) {
    assert.ok(error instanceof StoreError);
    return error.message;
  }
  return assert.fail(`${url} was taken`);
};

test('an address that is no URL is named, but never a password in it', () => {
  assert.match(complaintAbout('elasticsearch:host:9200'), /"host:9200" is no URL/);
  for (const url of [
    'elasticsearch:ftp://me:hunter2@host',
    'elasticsearch:http://host:9200,http://me:hunter2@host:port',
    'elasticsearch:http://me:hun,ter2@host',
    'elasticsearch:http://me:hun/ter2@host',
  ]) {
    const complaint = complaintAbout(url);
    assert.match(complaint, /number [12] is no URL/);
    assert.doesNotMatch(complaint, /hun|ter2/);
  }
});

test('of an address whose kind is unknown only the kind is repeated', async () => {
  await assert.rejects(openStore(scenarioOptions('https://me:hunter2@host:9200')), (error: Error) => {
    assert.match(error.message, /"https" is unknown: write duckdb/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

test('a bulk that gets no answer costs this node nothing: it is not copied, byte by byte, into the error that says so', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createElasticsearchClient(scenarioOptions(`elasticsearch:http://127.0.0.1:${port}`));
  const lines = Buffer.alloc(3 * 1024 * 1024, 'x');
  try {
    const before = process.cpuUsage();
    const reply = await client.request({ method: 'POST', path: '/_bulk', lines, timeoutMs: 10_000 });
    const { user, system } = process.cpuUsage(before);
    assert.ok(!reply.ok);
    // 30 ms; with the copy more than a second, and hundreds of megabytes.
    assert.ok(user + system < 400_000, `${(user + system) / 1000} ms`);
  } finally {
    await client.close();
    server.close();
  }
});
