import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs } from '../sample-time.ts';
import { dayIndexName, dayOf, isDayOutdated, readDayIndexName } from './day-index.ts';

const noonMs = Date.UTC(2026, 10, 22, 12);

test('a day index is named after its target and the UTC day of the sample', () => {
  assert.equal(dayIndexName('thrum', 'cpu', dayOf(Date.UTC(2026, 10, 22))), 'thrum-1s-cpu-2026.11.22');
  assert.equal(dayIndexName('thrum', 'cpu', dayOf(Date.UTC(2026, 10, 22) - 1)), 'thrum-1s-cpu-2026.11.21');
});

test('a name is read back', () => {
  assert.deepEqual(readDayIndexName('thrum', 'thrum-1s-disk_io-2026.11.22'), { target: 'disk_io', day: dayOf(noonMs) });
});

for (const name of [
  'thrum-1s-cpu-2026.02.30',
  'thrum-1s-cpu-2026.13.01',
  'thrum-1s-cpu-2026.11.22-old',
  'thrum-1m-cpu-2026.11.22',
  'thrum-1s-2026.11.22',
  'other-1s-cpu-2026.11.22',
  'thrum-test-1s-cpu-2026.11.22',
  '.thrum-1s-cpu-2026.11.22',
])
  test(`${name} is not ours`, () => {
    assert.equal(readDayIndexName('thrum', name), undefined);
  });

test('a day is deleted only when its last sample is older than what is kept', () => {
  const names = [20, 19, 18, 17, 16, 15].map((day) => dayIndexName('thrum', 'cpu', dayOf(noonMs) - 22 + day));
  const foreign = ['thrum-1s-cpu', 'thrum-users', 'x-1s-cpu-2020.01.01', 'thrum-1s-cpu-2020.01.99'];
  const outdated = (all: string[], nowMs: number): string[] =>
    all.filter((name) => isDayOutdated('thrum', name, nowMs, 5));
  assert.deepEqual(outdated([...names, ...foreign], noonMs), ['thrum-1s-cpu-2026.11.16', 'thrum-1s-cpu-2026.11.15']);
  const lastMs = Date.UTC(2026, 10, 17);
  assert.deepEqual(outdated(['thrum-1s-cpu-2026.11.16'], lastMs + 5 * dayMs - 1), []);
  assert.equal(outdated(['thrum-1s-cpu-2026.11.16'], lastMs + 5 * dayMs).length, 1);
});
