import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeAnchor } from './time-anchor.ts';

test('nothing is known before the first message', () => {
  assert.equal(new TimeAnchor().at(5), undefined);
});

test('far time goes on with the monotonic clock when nothing more is heard', () => {
  const anchor = new TimeAnchor();
  anchor.note(1_000_000, 500);
  assert.equal(anchor.at(500), 1_000_000);
  assert.equal(anchor.at(60_500), 1_060_000);
});

test('jitter moves it little, a jump moves it at once', () => {
  const anchor = new TimeAnchor();
  anchor.note(10_000, 0);
  anchor.note(11_100, 1000);
  assert.equal(Math.round(anchor.at(1000) ?? 0), 11_010);
  anchor.note(50_000, 2000);
  assert.equal(anchor.at(2000), 50_000);
});
