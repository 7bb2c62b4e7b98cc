import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '@msgpack/msgpack';
import { checkFrame, packingLimits, Unreadable } from './frame-check.ts';

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let at = 0; at < depth; at += 1) value = at % 2 === 0 ? [value] : { value };
  return value;
};
const good: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    -33,
    200,
    -200,
    70_000,
    -70_000,
    2 ** 40,
    -(2 ** 40),
    0.5,
    '',
    'a'.repeat(40),
    'b'.repeat(300),
  ],
  ...['c'.repeat(70_000), new Uint8Array(3), new Uint8Array(300), new Uint8Array(70_000), new Date(0), new Date(1.5)],
  ...[[], {}, [1, [2, [], {}], { a: { b: [3] } }], new Array<number>(20).fill(1), new Array<number>(70_000).fill(1)],
  Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [String(at), at])),
  nested(packingLimits.depth),
];

test('whole values pass, alone and one behind the other; what is cut off anywhere does not', () => {
  for (const value of good) checkFrame(encode(value, { maxDepth: 200 }));
  checkFrame(Buffer.concat(good.map((value) => encode(value, { maxDepth: 200 }))));
  for (const value of good) {
    const bytes = encode(value, { maxDepth: 200 });
    const step = Math.max(1, Math.floor(bytes.byteLength / 97));
    for (let end = bytes.byteLength - 1; end > 0; end -= step)
      assert.throws(() => checkFrame(bytes.subarray(0, end)), Unreadable);
  }
});

test('too deep, too many and never used first bytes are refused', () => {
  assert.throws(() => checkFrame(encode(nested(packingLimits.depth + 1), { maxDepth: 200 })), /deep/);
  assert.throws(() => checkFrame(new Uint8Array(packingLimits.values + 1)), /values/);
  assert.throws(() => checkFrame(Uint8Array.of(0xc1)), /no value begins/);
});

test('nothing may announce more than there are bytes, in one list or in all that are open', () => {
  for (const hex of ['dd00000002 01', 'df00000001 01', 'dc0003 dc0002 01 01', '93 92 01 01 01'])
    assert.throws(() => checkFrame(Buffer.from(hex.replaceAll(' ', ''), 'hex')), /shorter/, hex);
  checkFrame(Buffer.from('9392010101 02'.replaceAll(' ', ''), 'hex'));
});
