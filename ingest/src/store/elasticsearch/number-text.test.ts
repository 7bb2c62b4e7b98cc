import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxNumberBytes, writeFloat, writeWhole } from './number-text.ts';

const into = Buffer.alloc(64);
const text = (end: number): string => into.toString('latin1', 0, end);
const float = (value: number): string => text(writeFloat(into, 0, value));
const whole = (value: number): string => text(writeWhole(into, 0, value));

test('every whole number up to 2^53 is written in full', () => {
  for (const value of [0, 9, 10, 99, 100, 4294967294, 4294967295, 4294967296, 1e15, Number.MAX_SAFE_INTEGER, -1])
    assert.equal(whole(value), String(value));
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => whole(value) === String(value)),
    { numRuns: 5000 },
  );
});

test('a float read back is the same float', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = float(value);
      return text.length <= maxNumberBytes && Math.fround(Number(text)) === Math.fround(value) + 0;
    }),
    { numRuns: 20_000 },
  );
});

test('a number with more digits than a float is written so that it is read back as the float nearest to it', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, min: -3e38, max: 3e38 }),
      fc.double({ min: -200, max: 200, noNaN: true }),
      (wide, usual) => [wide, usual].every((value) => Math.fround(Number(float(value))) === Math.fround(value) + 0),
    ),
    { numRuns: 20_000 },
  );
});

test('a measured value with two decimals is written as a person would', () => {
  const values = [52.72, 0.5, 100, 0, -3.25, 99.995, 0.012];
  assert.deepEqual(values.map(float), ['52.72', '0.5', '100', '0', '-3.25', '99.995', '0.012']);
});
