/** Every page in both themes, at desk and phone width: no fault that axe calls serious or critical, and nothing wider than the screen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriousFaults, wider } from '../harness/accessibility.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readHosts, untilLive } from '../harness/readings.ts';

test('overview and host page are free of serious faults and fit the screen, in both themes, at desk and phone width', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 2 });
  const browser = await browserFor(t);
  const first = await openPage(browser, mesh.dashboardUrl);
  await untilLive(first.page, 2);
  const id = (await readHosts(first.page))[0]?.id ?? assert.fail('no host');
  for (const colorScheme of ['light', 'dark'] as const)
    for (const viewport of [
      { width: 1440, height: 900 },
      { width: 390, height: 844 },
    ])
      for (const path of ['/', `/hosts/${id}`]) {
        const { page, complaints, close } = await openPage(browser, mesh.dashboardUrl + path, {
          colorScheme,
          viewport,
        });
        await page.waitForSelector('[data-metric="cpu.usage"][data-value]');
        const where = `${path} ${colorScheme} ${viewport.width}`;
        assert.deepEqual(await seriousFaults(page), [], where);
        const wide = await wider(page);
        assert.equal(wide, 0, `${where}: ${wide} px wider than the screen`);
        assert.deepEqual(complaints, [], where);
        await close();
      }
});
