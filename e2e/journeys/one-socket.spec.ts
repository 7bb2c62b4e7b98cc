/** A static page on the first visit; everything after it over one WebSocket, the past included. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserFor } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readValue, untilNewer } from '../harness/readings.ts';
import { signInto } from '../harness/sign-in.ts';

test('after the first visit a page asks for nothing by HTTP: live values and the past come over its one WebSocket', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  const browser = await browserFor(t);
  const context = await browser.newContext();
  await signInto(context, mesh.dashboardUrl);
  const page = await context.newPage();
  const sockets: string[] = [];
  const requests: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));

  await page.goto(mesh.dashboardUrl);
  await page.click('[data-host] a');
  await page.waitForSelector('[data-points]');
  const loaded = requests.length;
  const assets = requests.map((line) => new URL(line.replace(/^GET /, '')).pathname);
  const expected = /^\/($|api\/me$|hosts\/|_app\/|theme\.js$|favicon\.svg$)/;
  assert.deepEqual(
    assets.filter((path) => !expected.test(path)),
    [],
    'only the page, its static files, and who it is',
  );

  const value = await readValue(page, 'cpu.usage');
  await untilNewer(page, 'cpu.usage', (value?.sampleMs ?? 0) + 3000);
  await page.click('[data-range="15m"]');
  await page.waitForSelector('[data-range="15m"][aria-pressed="true"]');
  await page.keyboard.press('Escape');
  await untilNewer(page, 'cpu.usage', (value?.sampleMs ?? 0) + 6000);
  // Chromium looks for the icon again when the address changes; that is the browser's doing, not the page's.
  const later = requests.slice(loaded).filter((line) => !line.endsWith('/favicon.svg'));
  assert.deepEqual(later, []);
  assert.equal(sockets.length, 1);
  assert.match(sockets[0] ?? '', /transport=websocket/);
});
