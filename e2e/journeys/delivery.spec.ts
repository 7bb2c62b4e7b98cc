/** Where the samples of a host are, on its page: while nobody takes them, when they follow, and what happened to who measures them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

/** Longer than a sample is ever on its way. After this the agent may wait for as long again until it tries the next time. */
const awayMs = 6_000;
const waitedMs = awayMs - 1_500;

const pictures = process.env['PICTURES'];

test('what waits while no ingest node is there is shown with its age and drains; an agent that was killed leaves an event', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  const [ingest, agent] = [mesh.ingest[0] ?? assert.fail(), mesh.agents[0] ?? assert.fail()];
  const browser = await browserFor(t);
  const overview = await openPage(browser, mesh.dashboardUrl);
  await untilLive(overview.page, 1);
  const id = (await readHosts(overview.page))[0]?.id ?? assert.fail('no host');
  await overview.close();
  const { page, complaints } = await openPage(browser, `${mesh.dashboardUrl}/hosts/${id}`);
  const panel = page.locator('[data-delivery]');
  await page.locator('[data-delivery="delivered"]').waitFor();
  await page.locator('[data-event="start"]').waitFor();
  const stored = Number(await panel.getAttribute('data-stored'));

  // The highest age the page showed, noted by the page itself.
  await page.evaluate(() => {
    const noted = { oldestMs: 0 };
    Object.assign(globalThis, { noted });
    const note = (): void => {
      const { oldestMs } = document.querySelector<HTMLElement>('[data-delivery]')?.dataset ?? {};
      noted.oldestMs = Math.max(noted.oldestMs, Number(oldestMs ?? 0));
    };
    new MutationObserver(note).observe(document.body, { subtree: true, attributes: true, childList: true });
  });
  await ingest.stop();
  const stoppedMs = Date.now();
  await page.locator('[data-delivery="cut"]').waitFor();
  // The agent goes on measuring: as long as this is meant to take.
  await new Promise((over) => setTimeout(over, stoppedMs + awayMs - Date.now()));
  const backMs = Date.now();
  await ingest.restart();
  await untilNewer(page, 'cpu.usage', backMs, 25_000);
  await page.waitForFunction(
    (leastMs) => (globalThis as unknown as { noted: { oldestMs: number } }).noted.oldestMs >= leastMs,
    waitedMs,
  );
  await page.waitForFunction(() => {
    const { delivery, oldestMs } = document.querySelector<HTMLElement>('[data-delivery]')?.dataset ?? {};
    return delivery === 'delivered' && Number(oldestMs) <= 3000;
  });
  const waiting = Number(await panel.getAttribute('data-waiting'));
  const now = Number(await panel.getAttribute('data-stored'));
  assert.ok(now - stored > waiting, `${now - stored} were stored since, ${waiting} wait`);
  assert.equal(await panel.getAttribute('data-missing'), '0');
  assert.equal(await panel.getAttribute('data-refused'), '0');

  await agent.kill('SIGKILL');
  const startedMs = Date.now();
  await agent.restart();
  await page
    .locator('[data-events]')
    .getByText(/not stopped in order/i)
    .first()
    .waitFor({ timeout: 20_000 });
  if (pictures !== undefined) {
    await panel.scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(pictures, 'delivery.png') });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(pictures, 'delivery-charts.png') });
  }
  await untilNewer(page, 'cpu.usage', startedMs);
  const last = await readValue(page, 'cpu.usage');
  assert.ok(last?.sampleMs !== undefined && last.sampleMs > startedMs);
  assert.deepEqual(complaints, []);
});
