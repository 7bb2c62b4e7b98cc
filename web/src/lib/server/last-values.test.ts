/** What is never stored: the overview's last values on every web node, and what a web node does when it missed some on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { decodeOverviewFrame } from '@thrum/actors/wire/frame';
import type { Greeting } from '@thrum/actors/wire/web-to-browser';
import {
  entryOf,
  frameOf,
  hostId,
  openTab,
  overviewOf,
  snapshotOf,
  startIngest,
  startWeb,
} from './scripted-mesh.contract.ts';

/** Sample time of the last row of every host. */
const lastRows = (greeting: Greeting): Record<string, number> => {
  const rows = decodeOverviewFrame(new Uint8Array(greeting.overview.at(-1) ?? [])) ?? [];
  return Object.fromEntries(rows.map((row) => [row.hostId, row.sampleMs]));
};

test('every web node has the last values of all hosts, also one that has just started, and when the ingest node is gone', async (t) => {
  const ingest = await startIngest(t);
  const nowMs = Date.now();
  const expected = { [hostId(1)]: nowMs - 500, [hostId(2)]: nowMs - 2000, [hostId(3)]: nowMs - 900 };
  for (const n of [1, 2, 3]) ingest.roster(entryOf(ingest.id, n, 5));
  const early = await startWeb(t, ingest, { id: 'web-a' });
  await eventually(() => ingest.asked.overview === 1);
  for (const [n, ms] of [
    [1, nowMs - 1500],
    [2, nowMs - 2000],
    [3, nowMs - 900],
    [1, nowMs - 500],
  ] as const)
    ingest.overview(overviewOf(n, ms));
  ingest.answers.overview = () => ({
    frames: [overviewOf(1, nowMs - 500), overviewOf(2, nowMs - 2000), overviewOf(3, nowMs - 900)],
  });
  const late = await startWeb(t, ingest, { id: 'web-b' });
  for (const web of [early, late])
    await eventually(async () => assert.deepEqual(lastRows(await openTab(t, web.url).greeted()), expected));
  // One question for each web node, and none for any tab.
  assert.equal(ingest.asked.overview, 2);
  await ingest.stop();
  for (const web of [early, late]) assert.deepEqual(lastRows(await openTab(t, web.url).greeted()), expected);
});

test('overview frames that were dropped on the way are made up for, though nothing follows them', async (t) => {
  const ingest = await startIngest(t);
  const nowMs = Date.now();
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest);
  await eventually(() => ingest.asked.overview === 1);
  ingest.overview(overviewOf(1, nowMs - 3000));
  const tab = openTab(t, web.url);
  await tab.greeted();
  ingest.answers.overview = () => ({ frames: [overviewOf(1, nowMs - 3000), overviewOf(1, nowMs - 1000)] });
  const before = tab.got.filter((what) => what === 'overview').length;
  // What an ingest node says whose outbox was full: it has got further than this node has heard.
  ingest.links.tell('web-a', 'topics', ['upto', [['overview', Number.MAX_SAFE_INTEGER - 1]]]);
  await eventually(() => assert.equal(tab.got.filter((what) => what === 'overview').length, before + 1));
  assert.deepEqual(lastRows(await openTab(t, web.url).greeted()), { [hostId(1)]: nowMs - 1000 });
});

test('frames of a watched host that were dropped on the way are made up for by a snapshot, though nothing follows them', async (t) => {
  const ingest = await startIngest(t);
  ingest.roster(entryOf(ingest.id, 1, 5));
  const web = await startWeb(t, ingest);
  const tab = openTab(t, web.url);
  await tab.greeted();
  await eventually(() => web.counters()['web_tabs'] === 1);
  await eventually(async () => {
    await tab.watch(hostId(1));
    return tab.got.includes('snapshot');
  });
  const topic = `host/${hostId(1)}`;
  await eventually(() => ingest.interest.get(topic) === true);
  ingest.frame(1, frameOf(1, 2));
  await eventually(() => tab.got.includes('frame 2'));
  ingest.answers.snapshot = () => ({ ok: true, gzip: false, bytes: snapshotOf(1, 9) });
  const [asked, got] = [ingest.asked.snapshot, tab.got.filter((what) => what === 'snapshot').length];
  ingest.links.tell('web-a', 'topics', ['upto', [[topic, Number.MAX_SAFE_INTEGER - 1]]]);
  await eventually(() => assert.equal(tab.got.filter((what) => what === 'snapshot').length, got + 1));
  assert.equal(ingest.asked.snapshot, asked + 1);
});
