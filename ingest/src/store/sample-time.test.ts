import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, judgeSampleTime, sampleTimeDetail, type SampleTime } from './sample-time.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const table: [string, number, SampleTime][] = [
  ['now', 0, 'ok'],
  ['five minutes ahead', 300_000, 'ok'],
  ['a millisecond more than five minutes ahead', 300_001, 'time-ahead'],
  ['a year ahead', 365 * dayMs, 'time-ahead'],
  ['as old as what is kept', -5 * dayMs, 'ok'],
  ['a millisecond older than what is kept', -5 * dayMs - 1, 'time-past'],
  ['1970', -nowMs, 'time-past'],
];

for (const [name, offsetMs, expected] of table)
  test(`a sample of ${name} is ${expected}`, () => {
    assert.equal(judgeSampleTime(nowMs + offsetMs, nowMs, 5), expected);
  });

test('the detail says how far off the clock is, and in which direction', () => {
  assert.equal(sampleTimeDetail(nowMs + 600_000, nowMs), '600 s ahead of the clock of the ingest node');
  assert.equal(sampleTimeDetail(nowMs - 1500, nowMs), '2 s behind the clock of the ingest node');
});
