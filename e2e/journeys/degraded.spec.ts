/** A host that is up and not well: the overview and its page say so in a word, a shape and the reason, for everybody who looks or listens. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { hostIdOf, startFleet } from '../../infra/load/fleet.ts';
import { seriousFaults, wider } from '../harness/accessibility.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';

const aheadMs = 3200;
const values = 10;

test('a wrong clock and refused samples degrade a host: the reason stands beside the word, and its values stay current', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-degraded-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const catalogue = join(directory, 'catalogue.json');
  writeCatalogue(catalogue, 1, values);
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1, settings: { ingest: { THRUM_CATALOGUE: catalogue } } });
  const ahead = { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs };
  const one = { url: mesh.agentsUrl, token: mesh.token, agents: 1, values, rate: 1 } as const;
  const fleets = [
    startFleet({ ...one, first: 1, targets: 1, clock: ahead }),
    startFleet({ ...one, first: 2, targets: 2, clock: systemClock }),
  ];
  t.after(() => Promise.all(fleets.map((fleet) => fleet.stop())));
  await Promise.all(fleets.map((fleet) => fleet.untilReady(10_000)));
  const reasons = new Map([
    [hostIdOf(1), /clock is 3\.\d s ahead/],
    [hostIdOf(2), /samples are refused: no target of that name/i],
  ]);
  const browser = await browserFor(t);
  const pictures = process.env['PICTURES'];
  for (const colorScheme of ['light', 'dark'] as const)
    for (const viewport of [
      { width: 1440, height: 900 },
      { width: 390, height: 844 },
    ])
      for (const path of ['/', `/hosts/${hostIdOf(1)}`]) {
        const { page, complaints, close } = await openPage(browser, mesh.dashboardUrl + path, {
          colorScheme,
          viewport,
        });
        const where = `${path} ${colorScheme} ${viewport.width}`;
        const shown = [...reasons].filter(([id]) => path === '/' || path.endsWith(id));
        for (const [id, reason] of shown) {
          await page.waitForSelector(`[data-host="${id}"][data-state="degraded"] [data-why]`, { timeout: 20_000 });
          const host = page.locator(`[data-host="${id}"]`);
          assert.match(await host.locator('[data-why]').innerText(), reason, where);
          assert.ok(await host.getByText('Degraded').first().isVisible(), where);
          assert.equal(await host.getAttribute('data-fresh'), 'live', where);
        }
        if (path === '/') await page.waitForSelector('[data-cluster="simulated"][data-hosts="2"][data-unwell="2"]');
        assert.deepEqual(await seriousFaults(page), [], where);
        assert.equal(await wider(page), 0, where);
        assert.deepEqual(complaints, [], where);
        if (pictures !== undefined)
          await page.screenshot({
            path: join(pictures, `degraded-${path === '/' ? 'all' : 'host'}-${colorScheme}-${viewport.width}.png`),
          });
        await close();
      }
});
