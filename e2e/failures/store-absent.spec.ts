/** Elasticsearch is not there when the nodes start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import { freePort } from '../../infra/local/ports.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { refresh, search } from '../harness/indices.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { cookieFor } from '../harness/sign-in.ts';
import { readValue, untilLive } from '../harness/readings.ts';

test('nodes start without Elasticsearch, say so, keep trying, and store once it is there', async (t) => {
  const said: string[] = [];
  const port = await freePort();
  const first = await startElasticsearch({ port, heap: '512m' });
  t.after(() => first.stop());
  const mesh = await meshFor(t, {
    ingest: 1,
    web: 1,
    agents: 1,
    settings: { ingest: { THRUM_STORE: `elasticsearch:http://127.0.0.1:${port}`, THRUM_LOG_LEVEL: 'warn' } },
    onEvent: (name, event) => {
      if (name === 'ingest-1' && event.kind === 'output') said.push(event.output.line);
    },
  });
  // Somebody signs in while there is a store to ask; the session outlives it.
  await cookieFor(mesh.dashboardUrl);
  await mesh.ingest[0]?.stop();
  await first.stop();
  said.length = 0;
  await Promise.all([mesh.ingest[0]?.restart(), mesh.web[0]?.restart()]);
  // The balancer takes a node back after two checks; until then it answers itself.
  await eventually(async () => assert.equal((await fetch(`${mesh.dashboardUrl}/healthz`)).status, 200));
  const browser = await browserFor(t);
  const { page } = await openPage(browser, mesh.dashboardUrl);
  await untilLive(page, 1);
  const health = async (): Promise<string | undefined> => {
    const response = await fetch(`${mesh.ingest[0]?.url ?? ''}/healthz`);
    return ((await response.json()) as { store?: { state?: string } }).store?.state;
  };
  assert.notEqual(await health(), 'ready');
  const about = (): string[] => said.filter((line) => line.includes(`127.0.0.1:${port}`));
  await eventually(() => about().length > 0);
  assert.ok(about().length <= 3, `said ${about().length} times:\n${about().join('\n')}`);

  // The first tick of an agent has no processor time yet.
  await page.waitForSelector('[data-metric="cpu.usage"][data-sample-ms]:not([data-value=""])');
  const firstMs = (await readValue(page, 'cpu.usage'))?.sampleMs ?? assert.fail('no value');
  const elasticsearch = await startElasticsearch({ port, heap: '512m' });
  t.after(() => elasticsearch.stop());
  const range = { '@timestamp': { lte: firstMs + 500, format: 'epoch_millis' } };
  await eventually(
    async () => {
      assert.equal(await health(), 'ready');
      await refresh(elasticsearch.url, mesh.prefix);
      const hits = await search(elasticsearch.url, `${mesh.prefix}-1s-load-*`, { query: { range } });
      assert.ok(hits.length > 0, 'what was measured before it was there is stored');
    },
    { withinMs: 60_000 },
  );
});
