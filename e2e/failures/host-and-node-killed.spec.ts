/** A host dies together with the ingest node that served it: nobody is left who served it, and it is shown as down all the same, by whoever starts later, too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { browserFor, openPage } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { greetingOf, ownerOf } from '../harness/owner.ts';
import { readHost, untilLive } from '../harness/readings.ts';

const reconnectingWithinMs = 2_000;
const downAfterMs = 10_000;
const downWithinMs = 13_000;

test('a host that dies with its ingest node is reconnecting, then down, also for a web node that starts afterwards, and live when it is back', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 2, agents: 2 });
  const browser = await browserFor(t);
  const { page } = await openPage(browser, mesh.dashboardUrl);
  await untilLive(page, 2);
  const first = (await greetingOf(mesh.dashboardUrl)).roster[0] ?? assert.fail('no host');
  const id = first.hostId;
  const agent = mesh.agents.find((_, n) => `host-${n + 1}` === first.machine.name) ?? assert.fail(first.machine.name);
  const owner = await ownerOf(mesh, id);
  const stateAt = async (url: string): Promise<string> =>
    (await greetingOf(url)).roster.find((entry) => entry.hostId === id)?.connection ?? 'unknown';
  const isEverywhere = (state: string, withinMs: number): Promise<void> =>
    eventually(
      async () => {
        for (const { url, name } of mesh.web) assert.equal(await stateAt(url), state, `at ${name}`);
      },
      { withinMs },
    );

  const killedMs = Date.now();
  await Promise.all([agent.kill('SIGKILL'), owner.kill('SIGKILL')]);
  await isEverywhere('reconnecting', reconnectingWithinMs);
  t.diagnostic(`reconnecting on both web nodes ${Date.now() - killedMs} ms after the kill`);
  await isEverywhere('down', downWithinMs);
  const downMs = Date.now() - killedMs;
  t.diagnostic(`down on both web nodes ${downMs} ms after the kill`);
  assert.ok(downMs >= downAfterMs && downMs <= downWithinMs, `down after ${downMs} ms`);
  await eventually(async () => assert.equal((await readHost(page, id))?.state, 'down'));

  const web = mesh.web[1] ?? assert.fail();
  await web.kill('SIGKILL');
  await web.restart();
  await isEverywhere('down', 10_000);
  // The node that served it comes back and knows nothing of it: the others still do.
  await owner.restart();
  await isEverywhere('down', 5_000);
  const later = await openPage(browser, mesh.dashboardUrl);
  await eventually(async () => assert.equal((await readHost(later.page, id))?.state, 'down'));

  await agent.restart();
  await untilLive(later.page, 2);
  await isEverywhere('connected', 5_000);
});
