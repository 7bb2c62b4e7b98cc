/** Elasticsearch hangs for a minute. The live view has nothing to do with it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { seriousFaults, wider } from '../harness/accessibility.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { refresh, search } from '../harness/indices.ts';
import { meshFor } from '../harness/mesh-for.ts';
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
