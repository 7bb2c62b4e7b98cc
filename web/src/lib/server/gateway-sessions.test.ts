/** A socket is for who is signed in, for as long as they are. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { cookieOf, entryOf, hostId, openTab, startIngest, startWeb } from './scripted-mesh.contract.ts';

const isRefused = async (t: TestContext, url: string, headers: Record<string, string>): Promise<boolean> => {
  const tab = openTab(t, url, { headers });
  const seen = { refused: false };
  tab.socket.on('connect_error', () => (seen.refused = true));
  await eventually(() => seen.refused || tab.greetings.length > 0);
  return seen.refused && tab.greetings.length === 0;
};

test('without a living session no socket is opened, whatever the cookie says', async (t) => {
  const web = await startWeb(t, await startIngest(t));
  for (const cookie of ['', 'thrum=', `thrum=${'A'.repeat(43)}`, cookieOf(web.url).replaceAll('thrum', 'other')])
    assert.equal(await isRefused(t, web.url, { cookie }), true, cookie);
  await openTab(t, web.url).greeted();
  assert.equal(web.tabs(), 1);
});

test('a page of another site is refused although the browser sends the cookie of somebody who is signed in', async (t) => {
  const web = await startWeb(t, await startIngest(t));
  const cookie = cookieOf(web.url);
  for (const origin of ['https://evil.example', 'http://localhost:5173', 'null'])
    assert.equal(await isRefused(t, web.url, { cookie, origin }), true, origin);
  const [plain = ''] = cookie.split('; ');
  const secure = { host: 'thrum.example.org', origin: 'https://thrum.example.org' };
  assert.equal(await isRefused(t, web.url, { ...secure, cookie: plain }), true, 'a plain cookie over https');
});

test('all tabs of a session are told and closed as soon as it ends, others stay, and it opens none again', async (t) => {
  const ingest = await startIngest(t);
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest);
  const other = await web.sessions.open({ user: 'grace', generation: 1 });
  const tabs = [openTab(t, web.url), openTab(t, web.url)];
  const stays = openTab(t, web.url, { headers: { cookie: `thrum=${other.sid}` } });
  await Promise.all([...tabs, stays].map((tab) => tab.greeted()));
  const startedMs = performance.now();
  await web.sessions.revoke(web.session.id);
  await eventually(() => tabs.every((tab) => !tab.socket.connected));
  assert.ok(performance.now() - startedMs < 1000);
  for (const tab of tabs)
    assert.deepEqual(
      tab.tab.refusals.map((one) => one.code),
      ['signed-out'],
    );
  assert.equal(await isRefused(t, web.url, {}), true);
  assert.deepEqual(await stays.watch(hostId(1)), { ok: true });
  assert.equal(web.tabs(), 1);
});
