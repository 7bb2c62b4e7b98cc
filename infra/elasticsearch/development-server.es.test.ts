import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@thrum/actors/system/log';
import { startElasticsearch } from './development-server.ts';

const health = async (url: string, withinMs: number): Promise<number> =>
  (await fetch(`${url}/_cluster/health`, { signal: AbortSignal.timeout(withinMs) })).status;

test('a server starts on a free port, pauses, goes on, dies, and keeps its data over a restart on the same port', async (t) => {
  if ((process.env['ELASTICSEARCH_URL'] ?? '') !== '')
    return t.skip('ELASTICSEARCH_URL names a server that is not ours to stop');
  const dataDirectory = mkdtempSync(path.join(tmpdir(), 'thrum-es-data-'));
  const first = await startElasticsearch({ dataDirectory, log: silentLog });
  try {
    assert.equal(await health(first.url, 5_000), 200);
    await first.pause();
    await assert.rejects(health(first.url, 1_000));
    await first.resume();
    assert.equal(await health(first.url, 10_000), 200);
    const put = await fetch(`${first.url}/kept/_doc/1?refresh=true`, {
      method: 'PUT',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(put.status, 201);
    await first.kill();
    await assert.rejects(health(first.url, 1_000));
    const second = await startElasticsearch({ dataDirectory, port: Number(new URL(first.url).port), log: silentLog });
    try {
      assert.equal(second.url, first.url);
      assert.equal((await fetch(`${second.url}/kept/_doc/1`)).status, 200);
    } finally {
      await second.stop();
    }
  } finally {
    await first.kill();
    assert.ok(existsSync(dataDirectory));
    rmSync(dataDirectory, { recursive: true, force: true });
  }
});
