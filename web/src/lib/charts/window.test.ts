import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveWindowMs, readChoice, writeChoice, type Choice } from './window.ts';

test('the URL holds every choice', () => {
  const choices: Choice[] = [
    { kind: 'live', range: '5m' },
    { kind: 'live', range: '1m' },
    { kind: 'past', range: '6h' },
    { kind: 'fixed', fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000 },
  ];
  for (const choice of choices) assert.deepEqual(readChoice(new URLSearchParams(writeChoice(choice))), choice);
});

test('a URL that makes no sense is the default', () => {
  for (const query of ['', 'range=9y', 'from=5', 'from=9&to=3', 'from=x&to=y', 'from=1&to=99999999999999'])
    assert.deepEqual(readChoice(new URLSearchParams(query)), { kind: 'live', range: '5m' }, query);
});

test('a young recording is shown over little time, an old one over what was asked for', () => {
  assert.equal(liveWindowMs('10m', 5_000), 30_000);
  assert.equal(liveWindowMs('10m', 45_000), 60_000);
  assert.equal(liveWindowMs('10m', 590_000), 600_000);
  assert.equal(liveWindowMs('1m', 590_000), 60_000);
});
