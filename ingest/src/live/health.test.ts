import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockReason, healthLimits, HostHealth } from './health.ts';

const settledMs = healthLimits.clockSettlesMs;
const greeted = (): HostHealth => {
  const health = new HostHealth();
  health.greeted(0);
  return health;
};

test('a host is healthy until there is a sign', () => assert.deepEqual(greeted().reasons(settledMs, 0), []));

test('a clock more than half a second off is said, once the samples after the hello have shown by how much', () => {
  const health = greeted();
  assert.deepEqual(health.reasons(settledMs - 1, 3200), [], 'the hello may have been held up');
  assert.deepEqual(health.reasons(settledMs, 500), []);
  assert.deepEqual(health.reasons(settledMs, 501), ['its clock is 0.5 s behind']);
  assert.deepEqual(greeted().reasons(settledMs, -3200), ['its clock is 3.2 s ahead']);
});

test('an offset about the limit does not come and go', () => {
  const health = greeted();
  const said = [501, 499, 502, 450, 401, 400, 499, 501].map((offsetMs) => health.reasons(settledMs, offsetMs).length);
  assert.deepEqual(said, [1, 1, 1, 1, 1, 0, 0, 1]);
});

test('the number in a reason stands still while the clock is as wrong as it was', () => {
  const health = greeted();
  const said = [10_000, 9_900, 8_500, 10_400].flatMap((offsetMs) => health.reasons(settledMs, offsetMs));
  assert.deepEqual(new Set(said), new Set(['its clock is 10.0 s behind']));
  assert.deepEqual(health.reasons(settledMs, -10_000), ['its clock is 10.0 s ahead']);
  assert.deepEqual(health.reasons(settledMs, -700), ['its clock is 0.7 s ahead']);
});

test('a large offset is told in units people use', () => {
  assert.equal(clockReason(90_000), 'its clock is 2 min behind');
  assert.equal(clockReason(-2 * 3_600_000), 'its clock is 2 h ahead');
  assert.equal(clockReason(-400 * 86_400_000), 'its clock is 400 days ahead');
});

test('a full queue is told from the first loss until a minute after the last', () => {
  const health = greeted();
  health.dropped(1000);
  health.dropped(50_000);
  assert.match(health.reasons(50_000 + 59_999, 0).join(), /queue is full/);
  assert.deepEqual(health.reasons(50_000 + 60_000, 0), []);
});

test('a disk that takes nothing is told from the first sign until some seconds after the last', () => {
  const health = greeted();
  health.diskFailed(1000);
  health.diskFailed(2000);
  assert.deepEqual(health.reasons(6_999, 0), ['its disk does not take samples: they are kept in memory only']);
  assert.deepEqual(health.reasons(7_000, 0), []);
});

test('samples that are missing for good are told for a minute, and once when a full queue is why', () => {
  const health = greeted();
  health.lost(1000);
  assert.deepEqual(health.reasons(60_999, 0), ['samples are missing for good: see its events']);
  assert.deepEqual(health.reasons(61_000, 0), []);
  health.lost(65_000);
  health.diskFailed(65_000);
  assert.match(health.reasons(65_000, 0)[1] ?? '', /missing for good: told when its disk works again/);
  health.lost(70_000);
  health.dropped(70_000);
  assert.deepEqual(health.reasons(70_000, 0), ['samples are dropped: its queue is full']);
});

test('refused samples are told with the reason, each reason on its own and for as long as it lasts', () => {
  const health = greeted();
  health.refused('time-ahead', 0);
  health.refused('time-ahead', 1);
  health.refused('too-many-series', 30_000);
  const [first, second, ...more] = health.reasons(30_000, 0);
  assert.match(first ?? '', /refused: they are more than five minutes in the future/);
  assert.match(second ?? '', /refused: it has more series than allowed/);
  assert.deepEqual(more, []);
  assert.deepEqual(health.reasons(60_001, 0), [second]);
  assert.deepEqual(health.reasons(90_000, 0), []);
});
