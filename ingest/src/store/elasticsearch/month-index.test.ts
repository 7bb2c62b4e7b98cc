import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMonthOutdated, monthIndexName, monthOf, nearMonthOf, readMonthIndexName } from './month-index.ts';

const at = (text: string): number => Date.parse(text);
const name = (timeMs: number, nowMs: number): string => monthIndexName('thrum', 'events', nearMonthOf(timeMs, nowMs));

test('an event belongs to the month of its own time, up to a month from now', () => {
  const now = at('2026-01-31T23:00:00Z');
  for (const [time, month] of [
    ['2026-01-01T00:00:00Z', '2026.01'],
    ['2025-12-31T23:59:59.999Z', '2025.12'],
    ['2026-02-01T00:00:00Z', '2026.02'],
    ['2025-11-30T23:59:59Z', '2025.12'],
    ['1970-01-01T00:00:00Z', '2025.12'],
    ['2026-03-01T00:00:00Z', '2026.02'],
    ['2400-01-01T00:00:00Z', '2026.02'],
  ] as const)
    assert.equal(name(at(time), now), `thrum-events-${month}`, time);
  assert.equal(name(Number.MAX_SAFE_INTEGER, now), 'thrum-events-2026.02');
});

test('a name is read back, and only one of our own form', () => {
  const month = monthOf(at('2026-11-22'));
  assert.equal(readMonthIndexName('thrum', 'refused', 'thrum-refused-2026.11'), month);
  for (const other of [
    'thrum-events-2026.11',
    'thrum-refused-2026.13',
    'thrum-refused-2026.1',
    'thrum-refused-2026.11.22',
    'thrum-refused-by-hand',
    'other-refused-2026.11',
  ])
    assert.equal(readMonthIndexName('thrum', 'refused', other), undefined, other);
});

test('a month is outdated when its last moment is', () => {
  const month = monthOf(at('2026-01-15'));
  assert.equal(isMonthOutdated(month, at('2026-04-01T23:59:59Z'), 60), false);
  assert.equal(isMonthOutdated(month, at('2026-04-02T00:00:00Z'), 60), true);
});
