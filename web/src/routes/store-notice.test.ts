import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { flushSync, mount, unmount } from 'svelte';
import { dashboard } from '#lib/live/dashboard.svelte.ts';
import Announcer from './Announcer.svelte';
import StoreNotice from './StoreNotice.svelte';

const mounted: object[] = [];
afterEach(async () => {
  await Promise.all(mounted.splice(0).map((component) => unmount(component)));
  dashboard.ingest = [];
  dashboard.link = { kind: 'connecting' };
});

const show = (): { strip: () => string | undefined; said: () => string | undefined } => {
  mounted.push(mount(StoreNotice, { target: document.body }), mount(Announcer, { target: document.body }));
  flushSync();
  const textOf = (selector: string) => document.querySelector(selector)?.textContent.trim();
  return { strip: () => textOf('[data-store="away"]'), said: () => textOf('[data-announce="store"]') };
};
const ingest = (...awayForMs: (number | null)[]): void => {
  dashboard.ingest = awayForMs.map((ms, i) => ({
    id: `${i}`,
    name: `ingest-${i}`,
    storeAwaySinceMs: ms === null ? null : Date.now() - ms,
  }));
  flushSync();
};

test('a store that does not answer is told in a strip and aloud, and once it answers again', () => {
  const { strip, said } = show();
  ingest(null, null);
  assert.deepEqual([strip(), said()], [undefined, '']);
  ingest(60_000, 60_000);
  assert.match(strip() ?? '', /^History is delayed: the store has not answered since /);
  assert.equal(said(), strip());
  ingest(null, 60_000);
  assert.match(strip() ?? '', /^Some history is delayed: the store has not answered ingest-1 since /);
  ingest(null, null);
  assert.deepEqual([strip(), said()], [undefined, 'The store answers again.']);
});

test('a page that is offline says nothing of the store, of which it hears nothing', () => {
  const { strip } = show();
  ingest(60_000);
  dashboard.link = { kind: 'offline', sinceMs: 0, never: false };
  flushSync();
  assert.equal(strip(), undefined);
});
