import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockText, dateText, minuteText, spanText } from './clock-text.ts';

const noon = new Date(2026, 10, 22, 12, 3, 4).getTime();

test('a time of day has two digits each and an unknown one is a dash', () => {
  assert.equal(clockText(noon), '12:03:04');
  assert.equal(minuteText(noon), '12:03');
  assert.equal(clockText(undefined), '–');
});

test('another day is named', () => {
  assert.equal(dateText(noon, noon + 1000), '12:03:04');
  assert.equal(dateText(noon, noon + 86_400_000), '22 Nov 12:03:04');
});

test('a span is told in its largest fitting unit', () => {
  assert.deepEqual([-5, 4200, 119_999, 600_000, 7_200_000, 172_800_000].map(spanText), [
    '0 s',
    '4 s',
    '119 s',
    '10 min',
    '2 h',
    '2 d',
  ]);
});
