import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { flushSync, mount, unmount } from 'svelte';
import { dashboard } from '#lib/live/dashboard.svelte.ts';
import type { LinkState } from '#lib/live/link-state.ts';
import LinkChip from './LinkChip.svelte';
import LinkNotice from './LinkNotice.svelte';

const mounted: object[] = [];
afterEach(async () => {
  await Promise.all(mounted.splice(0).map((component) => unmount(component)));
});

const say = (link: LinkState): { chip: Element | null; notice: string } => {
  mounted.push(mount(LinkChip, { target: document.body }), mount(LinkNotice, { target: document.body }));
  dashboard.link = link;
  flushSync();
  return {
    chip: document.querySelector('[data-link-state]'),
    notice: document.querySelector('section')?.textContent.trim() ?? '',
  };
};

test('a live link is one word and no strip', () => {
  const { chip, notice } = say({ kind: 'live' });
  assert.equal(chip?.getAttribute('data-link-state'), 'live');
  assert.equal(chip.textContent.trim(), 'Live');
  assert.equal(notice, '');
});

test('reconnecting tells for how long', () => {
  assert.match(say({ kind: 'reconnecting', forMs: 12_400 }).chip?.textContent ?? '', /Reconnecting 12 s/);
});

test('offline, path late and a server never reached are told in different words', () => {
  const offline = say({ kind: 'offline', sinceMs: 0, never: false });
  assert.match(offline.chip?.textContent ?? '', /Offline since \d\d:\d\d:\d\d/);
  assert.match(offline.notice, /You are offline since/);
  dashboard.link = { kind: 'offline', sinceMs: 0, never: true };
  flushSync();
  assert.match(document.querySelector('section')?.textContent ?? '', /No answer from the dashboard/);
  dashboard.link = { kind: 'path-late', reason: 'no-ingest', sinceMs: 0 };
  flushSync();
  assert.match(document.querySelector('section')?.textContent ?? '', /Path late since .* no ingest node/s);
});
