/** One of two web nodes is killed: its pages go on by themselves on the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { chartGap, linkState, readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

test('pages of a killed web node go on by themselves on the other, without a reload', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 2, agents: 1 });
  const browser = await browserFor(t);
  // Four pages, so that both nodes serve some: the balancer deals connections out in turn.
  const overview = await openPage(browser, mesh.dashboardUrl);
  await untilLive(overview.page, 1);
  const id = (await readHosts(overview.page))[0]?.id ?? assert.fail('no host');
  const pages = await Promise.all(
    [1, 2, 3].map(async () => (await openPage(browser, `${mesh.dashboardUrl}/hosts/${id}`)).page),
  );
  for (const page of pages) {
    const first = await readValue(page, 'cpu.usage');
    await untilNewer(page, 'cpu.usage', first?.sampleMs ?? 0);
    await page.evaluate(() => Object.assign(globalThis, { notReloaded: true }));
  }

  const killedMs = Date.now();
  await mesh.web[0]?.kill('SIGKILL');
  const back = await Promise.all(
    pages.map(async (page) => {
      const sampleMs = await untilNewer(page, 'cpu.usage', killedMs + 200, 15_000);
      t.diagnostic(`a page is back ${Date.now() - killedMs} ms after the kill`);
      return { page, sampleMs };
    }),
  );
  for (const { page, sampleMs } of back) {
    assert.equal(await page.evaluate(() => 'notReloaded' in globalThis), true);
    await page.waitForSelector('[data-link-state="live"]');
    await untilNewer(page, 'cpu.usage', sampleMs + 1500);
    const gap = await chartGap(page, 'cpu');
    assert.ok(gap.longestMs < 1500, `a gap of ${gap.longestMs} ms in the chart`);
  }
  assert.equal(await linkState(overview.page), 'live');
});
