/** Every page in both themes, at desk and phone width: no fault that axe calls serious or critical, and nothing wider than the screen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousFaults, wider } from '../harness/accessibility.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readHosts, untilLive } from '../harness/readings.ts';

const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ].map((viewport) => ({ colorScheme, viewport })),
);

const judge = async (page: Page, where: string): Promise<void> => {
  assert.deepEqual(await seriousFaults(page), [], where);
  const wide = await wider(page);
  assert.equal(wide, 0, `${where}: ${wide} px wider than the screen`);
};

test('overview and host page are free of serious faults and fit the screen, in both themes, at desk and phone width', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 2 });
  const browser = await browserFor(t);
  const first = await openPage(browser, mesh.dashboardUrl);
  await untilLive(first.page, 2);
  const id = (await readHosts(first.page))[0]?.id ?? assert.fail('no host');
  for (const look of looks)
    for (const path of ['/', `/hosts/${id}`]) {
      const { page, complaints, close } = await openPage(browser, mesh.dashboardUrl + path, look);
      await page.waitForSelector('[data-metric="cpu.usage"][data-value]');
      if (path !== '/') await page.waitForSelector('[data-delivery]');
      const where = `${path} ${look.colorScheme} ${look.viewport.width}`;
      await judge(page, where);
      await page.click('.who');
      await page.waitForSelector('[data-sign-out]:visible');
      await judge(page, `${where} with the account menu`);
      assert.deepEqual(complaints, [], where);
      await close();
    }
});

test('sign-in and set-up are free of serious faults and fit the screen, and need no mouse', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 0 });
  const browser = await browserFor(t);
  const token = 'x'.repeat(43);
  for (const path of ['/sign-in', `/set-up#${token}`, `/set-up#YWRh.${token}`, '/set-up']) {
    const { page, complaints, close } = await openPage(browser, mesh.dashboardUrl + path, { signedOut: true });
    await page.waitForSelector('h1');
    const judgeAll = async (what: string): Promise<void> => {
      for (const { colorScheme, viewport } of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        await judge(page, `${path} ${colorScheme} ${viewport.width} ${what}`);
      }
    };
    await judgeAll('as it is opened');
    if (path !== '/set-up') {
      await page.keyboard.press('Enter');
      await page.waitForSelector('[data-fault]:not(:empty)');
      assert.match(await page.evaluate(() => document.activeElement?.id ?? ''), /^entry-(name|password)$/);
      await judgeAll('with a fault');
    }
    assert.deepEqual(complaints, [], path);
    await close();
  }

  const { page } = await openPage(browser, `${mesh.dashboardUrl}/sign-in`, { signedOut: true });
  await page.waitForFunction(() => document.activeElement?.id === 'entry-name');
  assert.equal(await page.getAttribute('#entry-name', 'autocomplete'), 'username');
  assert.equal(await page.getAttribute('#entry-password', 'autocomplete'), 'current-password');
  await page.keyboard.type('ada');
  await page.keyboard.press('Tab');
  await page.keyboard.type('a secret of hers');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  assert.equal(await page.getAttribute('#entry-password', 'type'), 'text');
  await page.keyboard.press('Space');
  assert.equal(await page.getAttribute('#entry-password', 'type'), 'password');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-fault]:not(:empty)');
});
