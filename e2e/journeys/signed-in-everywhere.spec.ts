/** A session is one of all web nodes at once, from its first second to its last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { browserFor, openAs } from '../harness/browser.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { untilLive } from '../harness/readings.ts';
import { cookieFor, meOf, post, signIn } from '../harness/sign-in.ts';

const form = '[data-entry]';
const host = '[data-host]';

test('signed in on one web node is signed in on the other, and signed out on one is signed out on the other, within a second', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 2, agents: 1 });
  const [first, second] = mesh.web.map(({ url }) => url);
  assert.ok(first !== undefined && second !== undefined);
  // The person is made.
  await cookieFor(first);
  const browser = await browserFor(t);
  const cookie = await signIn(first);
  const signedInMs = performance.now();
  await eventually(async () => assert.equal(await meOf(second, cookie), 'ada'));
  const spreadMs = performance.now() - signedInMs;
  const page = await openAs(browser, second, cookie);
  const other = await openAs(browser, first, cookie);
  await Promise.all([untilLive(page, 1), untilLive(other, 1)]);

  const leavingMs = performance.now();
  await post(first, 'sign-out', {}, { cookie });
  const answeredMs = performance.now() - leavingMs;
  assert.equal(await meOf(second, cookie), null, 'once it is answered the session is dead everywhere');
  await Promise.all([page.waitForSelector(form), other.waitForSelector(form)]);
  const shownMs = performance.now() - leavingMs;
  t.diagnostic(
    `valid on the other after ${Math.round(spreadMs)} ms; sign-out answered after ${Math.round(answeredMs)} ms, shown after ${Math.round(shownMs)} ms`,
  );
  assert.ok(spreadMs < 1000 && answeredMs < 1000 && shownMs < 2000);
  assert.equal(await page.locator(host).count(), 0);
});
