/** Every page in both themes, at desk and phone width: no fault that axe calls serious or critical, and nothing wider than the screen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readHosts, untilLive } from '../harness/readings.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
type Violation = { readonly id: string; readonly impact: string | null; readonly nodes: { readonly html: string }[] };

const seriousFaults = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run(),
  );
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)}`));
};

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
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(wide, 0, `${where}: ${wide} px wider than the screen`);
        assert.deepEqual(complaints, [], where);
        await close();
      }
});
