/** Elasticsearch is away: at the start, and for a minute in between. The live view has nothing to do with it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import { freePort } from '../../infra/local/ports.ts';
import { seriousFaults, wider } from '../harness/accessibility.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { refresh, search } from '../harness/indices.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { cookieFor } from '../harness/sign-in.ts';
import { chartGap, readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

const awayMs = 60_000;
const pictures = process.env['PICTURES'];

test('the live view does not notice that Elasticsearch is stopped for a minute, and what it missed is stored later', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 1, agents: 1, ownElasticsearch: true });
  const { elasticsearch } = mesh;
  assert.ok(elasticsearch);
  if (elasticsearch.kind === 'given') return t.skip('the Elasticsearch that ELASTICSEARCH_URL names cannot be stopped');
  const browser = await browserFor(t);
  const overview = await openPage(browser, mesh.dashboardUrl);
  await untilLive(overview.page, 1);
  const id = (await readHosts(overview.page))[0]?.id ?? assert.fail('no host');
  const { page, complaints } = await openPage(browser, `${mesh.dashboardUrl}/hosts/${id}`);
  const first = await readValue(page, 'cpu.usage');
  await untilNewer(page, 'cpu.usage', first?.sampleMs ?? 0);

  // How often the page was anything but live, noted by the page itself.
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { statesSeen: seen });
    const note = (): void => {
      const state = document.querySelector<HTMLElement>('[data-host]')?.dataset['state'] ?? 'none';
      if (seen.at(-1) !== state) seen.push(state);
    };
    note();
    new MutationObserver(note).observe(document.body, {
      subtree: true,
      attributes: true,
      attributeFilter: ['data-state'],
    });
  });
  const stoppedMs = Date.now();
  await elasticsearch.pause();
  // The platform's trouble is said once for all, and is no host's.
  await page
    .getByText(/^History is delayed: the store has not answered since \d\d:\d\d:\d\d\. Live values go on/)
    .first()
    .waitFor();
  assert.match(await page.locator('[data-announce="store"]').innerText(), /the store has not answered/);
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      const viewport = { width, height: 800 };
      const one = await openPage(browser, mesh.dashboardUrl, { colorScheme, viewport });
      await one.page.locator('[data-store="away"]').waitFor();
      assert.deepEqual(await seriousFaults(one.page), [], `${colorScheme} ${width}`);
      assert.equal(await wider(one.page), 0, `${colorScheme} ${width}`);
      if (pictures !== undefined)
        await one.page.screenshot({ path: join(pictures, `store-away-${colorScheme}-${width}.png`) });
      await one.close();
    }
  await untilNewer(page, 'cpu.usage', stoppedMs + awayMs, awayMs + 10_000);
  const states = await page.evaluate(() => (globalThis as unknown as { statesSeen: string[] }).statesSeen);
  assert.deepEqual(states, ['live']);
  const gap = await chartGap(page, 'cpu');
  assert.ok(gap.longestMs < 1500, `a gap of ${gap.longestMs} ms in the chart`);
  assert.deepEqual(complaints, []);

  await elasticsearch.resume();
  await page.locator('[data-store="away"]').waitFor({ state: 'detached' });
  const during = { gte: stoppedMs + 5000, lt: stoppedMs + 55_000, format: 'epoch_millis' };
  const query = { bool: { filter: [{ term: { host_id: id } }, { range: { '@timestamp': during } }] } };
  await eventually(
    async () => {
      await refresh(mesh.elasticsearchUrl, mesh.prefix);
      const hits = await search(mesh.elasticsearchUrl, `${mesh.prefix}-1s-load-*`, { size: 100, query });
      assert.equal(hits.length, 50, 'one document for every second it was away');
    },
    { withinMs: 90_000 },
  );
});

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
