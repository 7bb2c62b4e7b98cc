/** One of two ingest nodes is killed: its agents find the other, and who watches misses nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { ownerOf } from '../harness/owner.ts';
import { chartGap, readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

const backWithinMs = 3000;

test('the live view is back within 3 s after its ingest node was killed, and complete', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 2, agents: 2 });
  const browser = await browserFor(t);
  const overview = await openPage(browser, mesh.dashboardUrl);
  await untilLive(overview.page, 2);
  const id = (await readHosts(overview.page))[0]?.id ?? assert.fail('no host');
  const { page, complaints } = await openPage(browser, `${mesh.dashboardUrl}/hosts/${id}`);
  const first = await readValue(page, 'cpu.usage');
  // A stretch of samples before the fault, so that completeness means something.
  await untilNewer(page, 'cpu.usage', (first?.sampleMs ?? 0) + 4000);

  const owner = await ownerOf(mesh, id);
  const killedMs = Date.now();
  await owner.kill('SIGKILL');
  const sampleMs = await untilNewer(page, 'cpu.usage', killedMs + 200, 15_000);
  const backAfterMs = Date.now() - killedMs;
  t.diagnostic(`back after ${backAfterMs} ms with a sample taken ${sampleMs - killedMs} ms after the kill`);
  assert.ok(backAfterMs <= backWithinMs, `back after ${backAfterMs} ms`);

  // Nothing is missing: not even the samples taken while nobody was connected.
  await page.waitForFunction(() => document.querySelector('[data-state="live"]') !== null);
  await untilNewer(page, 'cpu.usage', sampleMs + 2000);
  const gap = await chartGap(page, 'cpu');
  assert.ok(gap.points >= 6, `${gap.points} points`);
  assert.ok(gap.longestMs < 1500, `a gap of ${gap.longestMs} ms in the chart`);
  await untilLive(overview.page, 2);
  assert.deepEqual(complaints, []);
});
