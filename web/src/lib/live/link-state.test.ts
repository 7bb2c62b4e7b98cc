import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCutOff, linkState, type LinkFacts } from './link-state.ts';

const well: LinkFacts = {
  nowMs: 100_000,
  startedMs: 0,
  connected: true,
  lostMs: undefined,
  heardMs: 99_500,
  browserOnline: true,
  noIngestSinceMs: undefined,
  overviewMs: 99_400,
  expectsOverview: true,
};

test('a link is live while the web node speaks each second', () => {
  assert.deepEqual(linkState(well), { kind: 'live' });
});

test('a frozen web node is told by its silence within three seconds, though its socket stays open', () => {
  assert.deepEqual(linkState({ ...well, heardMs: 97_501 }).kind, 'live');
  const frozen = linkState({ ...well, heardMs: 97_500 });
  assert.deepEqual(frozen, { kind: 'offline', sinceMs: 97_500, never: false });
  assert.equal(isCutOff(frozen), true);
});

test('a lost connection is reconnecting at first, offline after silence', () => {
  assert.deepEqual(linkState({ ...well, connected: false, lostMs: 99_600 }), { kind: 'reconnecting', forMs: 400 });
  assert.equal(linkState({ ...well, connected: false, lostMs: 97_000, heardMs: 97_000 }).kind, 'offline');
});

test('a browser without network is offline at once, but a living connection is believed over what the browser says', () => {
  assert.equal(linkState({ ...well, connected: false, lostMs: 99_900, browserOnline: false }).kind, 'offline');
  assert.equal(linkState({ ...well, browserOnline: false }).kind, 'live');
});

test('the first contact has three seconds', () => {
  const first = { ...well, heardMs: undefined, connected: false, startedMs: 99_000 };
  assert.equal(linkState(first).kind, 'connecting');
  assert.deepEqual(linkState({ ...first, startedMs: 97_000 }), { kind: 'offline', sinceMs: 97_000, never: true });
});

test('without ingest nodes, or without frames although hosts are connected, the path is late', () => {
  assert.deepEqual(linkState({ ...well, noIngestSinceMs: 98_000 }), {
    kind: 'path-late',
    reason: 'no-ingest',
    sinceMs: 98_000,
  });
  assert.equal(linkState({ ...well, noIngestSinceMs: 99_900 }).kind, 'live');
  assert.equal(linkState({ ...well, overviewMs: 96_000 }).kind, 'path-late');
  assert.equal(linkState({ ...well, overviewMs: 96_000, expectsOverview: false }).kind, 'live');
  assert.equal(isCutOff(linkState({ ...well, overviewMs: 96_000 })), false);
});
