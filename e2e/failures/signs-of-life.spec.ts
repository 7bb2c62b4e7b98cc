/** Host silent, host gone, path cut, node frozen, browser offline: different things, told apart, each within seconds, and never an old number as new. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

const stateIs = (page: Page, states: readonly string[], withinMs: number): Promise<unknown> =>
  page.waitForFunction(
    (wanted) => wanted.includes(document.querySelector<HTMLElement>('[data-host]')?.dataset['state'] ?? ''),
    states,
    { timeout: withinMs, polling: 50 },
  );
const linkIs = (page: Page, states: readonly string[], withinMs: number): Promise<unknown> =>
  page.waitForFunction(
    (wanted) => wanted.includes(document.querySelector<HTMLElement>('[data-link-state]')?.dataset['linkState'] ?? ''),
    states,
    { timeout: withinMs, polling: 50 },
  );
/** Runs `act` and tells how long it took until `seen`. */
const timed = async (act: () => unknown, seen: () => Promise<unknown>): Promise<number> => {
  await act();
  const startedMs = performance.now();
  await seen();
  return performance.now() - startedMs;
};

test('a frozen agent becomes late, stale and silent, keeps its dated values, and is live again by itself', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  const agent = mesh.agents[0] ?? assert.fail('no agent');
  const { page } = await openPage(await browserFor(t), mesh.dashboardUrl);
  await untilLive(page, 1);
  const tookMs = await timed(
    () => agent.pause(),
    () => stateIs(page, ['late', 'stale', 'silent'], 10_000),
  );
  t.diagnostic(`the page says so after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 4000, `${tookMs} ms`);
  await stateIs(page, ['silent'], 15_000);
  const value = await readValue(page, 'cpu.usage');
  assert.ok(value?.value !== undefined, 'the last value stays');
  assert.notEqual((await readHosts(page))[0]?.fresh, 'live');
  assert.equal(await page.locator('[data-link-state]').first().getAttribute('data-link-state'), 'live');
  agent.resume();
  await stateIs(page, ['live'], 20_000);
});

test('a killed agent is reconnecting, then down; one that says goodbye has left', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  const agent = mesh.agents[0] ?? assert.fail('no agent');
  const { page } = await openPage(await browserFor(t), mesh.dashboardUrl);
  await untilLive(page, 1);
  const tookMs = await timed(
    () => agent.kill('SIGKILL'),
    () => stateIs(page, ['reconnecting', 'late', 'stale'], 10_000),
  );
  t.diagnostic(`the page says so after ${Math.round(tookMs)} ms`);
  await stateIs(page, ['down'], 20_000);
  await agent.restart();
  await stateIs(page, ['live'], 20_000);
  await agent.stop();
  await stateIs(page, ['left'], 10_000);
});

test('a frozen web node and a browser that is offline are told apart from a silent host', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1, balancer: false });
  const web = mesh.web[0] ?? assert.fail('no web node');
  const { page } = await openPage(await browserFor(t), mesh.dashboardUrl);
  await untilLive(page, 1);
  const frozenMs = await timed(
    () => web.pause(),
    () => linkIs(page, ['silent', 'reconnecting', 'offline'], 10_000),
  );
  t.diagnostic(`the page says after ${Math.round(frozenMs)} ms that its web node is frozen`);
  assert.ok(frozenMs < 4500, `${frozenMs} ms`);
  assert.notEqual((await readHosts(page))[0]?.fresh, 'live');
  web.resume();
  await linkIs(page, ['live'], 20_000);
  await untilLive(page, 1);

  const offlineMs = await timed(
    () => page.context().setOffline(true),
    () => linkIs(page, ['offline'], 10_000),
  );
  t.diagnostic(`the page says after ${Math.round(offlineMs)} ms that the browser is offline`);
  await page.context().setOffline(false);
  await linkIs(page, ['live'], 20_000);
  const value = await readValue(page, 'cpu.usage');
  await untilNewer(page, 'cpu.usage', value?.sampleMs ?? 0);
});

test('without any ingest node the page says that the path is cut, not that the hosts are', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  const { page } = await openPage(await browserFor(t), mesh.dashboardUrl);
  await untilLive(page, 1);
  const tookMs = await timed(
    () => mesh.ingest[0]?.kill('SIGKILL'),
    () => linkIs(page, ['path-late'], 10_000),
  );
  t.diagnostic(`the page says after ${Math.round(tookMs)} ms that the path is cut`);
  await mesh.ingest[0]?.restart();
  await linkIs(page, ['live'], 20_000);
  await untilLive(page, 1);
});
