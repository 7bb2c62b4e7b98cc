import assert from 'node:assert/strict';
import { test } from 'node:test';
import { write, writeLine } from './units.ts';

const percent = { unit: '%', rate: false } as const;
const size = { unit: 'bytes', rate: false } as const;
const traffic = { unit: 'bytes', rate: true } as const;

test('digits follow the magnitude', () => {
  assert.deepEqual(
    [0, 0.04, 0.4, 7.44, 9.96, 38.2, 100].map((value) => write(value, percent).text),
    ['0', '0.04', '0.4', '7.4', '10', '38', '100'],
  );
});

test('unknown is a dash, never a zero', () => {
  assert.deepEqual(write(undefined, percent), { text: '–', unit: '' });
  assert.deepEqual(write(Number.NaN, size), { text: '–', unit: '' });
  assert.equal(writeLine(Number.POSITIVE_INFINITY, size), '–');
});

test('sizes count by 1,024 and rates of bytes by 1,000', () => {
  assert.deepEqual(write(8 * 1024 ** 3, size), { text: '8.0', unit: 'GiB' });
  assert.deepEqual(write(16 * 1024 ** 3, size), { text: '16', unit: 'GiB' });
  assert.deepEqual(write(900, size), { text: '900', unit: 'B' });
  assert.deepEqual(write(1_500_000, traffic), { text: '1.5', unit: 'MB/s' });
  assert.deepEqual(write(999_600, traffic), { text: '1.0', unit: 'MB/s' });
  assert.deepEqual(write(0.2, traffic), { text: '0', unit: 'B/s' });
});

test('counts, loads and times', () => {
  assert.equal(writeLine(12_345, { unit: 'count', rate: true }), '12k/s');
  assert.equal(writeLine(1.234, { unit: 'load', rate: false }), '1.23');
  assert.equal(writeLine(12.34, { unit: 'load', rate: false }), '12.3');
  assert.equal(writeLine(0, { unit: 'load', rate: false }), '0.00');
  assert.equal(writeLine(45, { unit: 'seconds', rate: false }), '45\u202fs');
  assert.equal(writeLine(3 * 86_400, { unit: 'seconds', rate: false }), '3.0\u202fd');
  assert.equal(writeLine(2.5, { unit: 'ms', rate: false }), '2.5\u202fms');
});
