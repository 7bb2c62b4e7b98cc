/** The past on a host's page: the range picker asks the store, and what it draws is what was stored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { chartGap, readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

test('ranges of the past are answered by the store, keep their place in the address, and lead back to live', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 2, agents: 1 });
  const browser = await browserFor(t);
  const overview = await openPage(browser, mesh.dashboardUrl);
  await untilLive(overview.page, 1);
  const id = (await readHosts(overview.page))[0]?.id ?? assert.fail('no host');
  const { page, complaints } = await openPage(browser, `${mesh.dashboardUrl}/hosts/${id}`);
  const first = await readValue(page, 'cpu.usage');
  await untilNewer(page, 'cpu.usage', (first?.sampleMs ?? 0) + 15_000, 30_000);

  for (const range of ['15m', '1h', '6h', '24h']) {
    await page.click(`[data-range="${range}"]`);
    await page.waitForFunction((wanted) => new URL(location.href).searchParams.get('range') === wanted, range);
    await page.waitForFunction(
      () =>
        Number(document.querySelector<HTMLElement>('[data-chart^="cpu"] [data-points]')?.dataset['points'] ?? 0) > 0,
      undefined,
      { timeout: 20_000 },
    );
  }
  await page.reload();
  await page.waitForSelector(
    '[data-range="24h"][aria-pressed="true"], [data-range="24h"][aria-checked="true"], [data-range="24h"][aria-current]',
  );
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => new URL(location.href).searchParams.get('range') === null);
  const live = await readValue(page, 'cpu.usage');
  await untilNewer(page, 'cpu.usage', live?.sampleMs ?? 0);
  assert.ok((await chartGap(page, 'cpu')).longestMs < 1500);
  assert.deepEqual(complaints, []);
});
