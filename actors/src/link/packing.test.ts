/** What is written is msgpack: the library reads it, and what the library writes is read. And no bytes do harm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { seededRandom } from '../testing/random.ts';
import { Packer, packingLimits } from './packer.ts';
import { Unpacker, Unreadable } from './unpacker.ts';

const packer = new Packer();
const unpacker = new Unpacker();
const pack = (value: unknown): Uint8Array => new Uint8Array(packer.begin().value(value).take());
const unpack = (bytes: Uint8Array): unknown => {
  const value = unpacker.begin(bytes).value();
  assert.ok(unpacker.isAtEnd);
  return value;
};

const key = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text !== '__proto__');
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    ...[fc.integer(), fc.maxSafeInteger(), fc.double(), fc.boolean(), fc.constant(null)],
    ...[fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 40 }), fc.uint8Array({ maxLength: 400 })],
    fc.array(tie('value'), { maxLength: 20 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 20 }).map((fields) => Object.fromEntries(fields)),
  ),
}));
const edges: readonly unknown[] = [
  ...[
    0,
    -0,
    -1,
    -32,
    -33,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    -(2 ** 31),
    -(2 ** 31) - 1,
  ],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, NaN, Infinity, 1.5, 5e-324],
  ...[31, 32, 33, 255, 256, 65_535, 65_536].flatMap((length) => ['a'.repeat(length), 'é'.repeat(length)]),
  ...[15, 16, 65_535, 65_536].map((length) => new Array<number>(length).fill(1)),
  ...[0, 255, 256, 65_535, 65_536].map((length) => new Uint8Array(length)),
  Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [`k${at}`, at])),
];

test('what is written is read back, and read alike by the library', () => {
  for (const value of edges) {
    assert.deepEqual(unpack(pack(value)), value);
    assert.deepEqual(decode(pack(value)), value);
  }
  fc.assert(
    fc.property(anything, (value) => {
      assert.deepEqual(unpack(pack(value)), value);
      assert.deepEqual(decode(pack(value)), value);
    }),
    { numRuns: 1000 },
  );
});

test('what the library writes is read', () => {
  for (const value of edges) assert.deepEqual(unpack(encode(value)), decode(encode(value)));
  fc.assert(
    fc.property(anything, (value) => assert.deepEqual(unpack(encode(value)), decode(encode(value)))),
    { numRuns: 1000 },
  );
});

test('what is written in one place is not changed by what is written after it, when it was kept', () => {
  const large = 'x'.repeat(100_000);
  const first = packer.begin().value(large).take();
  packer.begin().value('y'.repeat(100_000));
  assert.equal(unpack(first), large);
});

test('cycles, too much, and what has no form are refused', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const [value, why] of [
    [cycle, /deep: a cycle/],
    [new Array(packingLimits.values).fill(0), /more than 1000000 values/],
    [JSON.parse('{"__proto__":1}'), /__proto__/],
    ...[() => 1, 1n, Symbol('x'), new Date(0), new Map(), new Set(), new Error('x')].map(
      (one) => [one, /cannot be told/] as const,
    ),
  ] as const)
    assert.throws(() => pack(value), why);
});

test('few bytes that announce much are refused before anything is reserved for it', () => {
  const hostile = [
    'dd ffffffff',
    'df ffffffff',
    'c6 ffffffff',
    'db ffffffff',
    'dc ffff',
    'c7 ff 01',
    '8f',
    '9f',
    'bf',
    'cb 00',
    '81 01 01',
  ];
  for (const hex of [...hostile, 'c1', 'd4 0100', 'd6 ff00000000', '']) {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    assert.throws(() => unpack(bytes), Unreadable, hex);
  }
  assert.throws(() => unpack(Buffer.alloc(1000, 0x91)), Unreadable);
  assert.throws(
    () => unpack(Buffer.concat([Buffer.from([0xdd, 0, 0x1e, 0x84, 0x80]), Buffer.alloc(2_000_000)])),
    /values/,
  );
});

test('twenty thousand mutations of good bytes are read or refused, and never change what an object is', () => {
  const random = seededRandom(7);
  const good = [{ a: [1, 'two', null, new Uint8Array(9)], constructor: { b: true } }, edges.slice(0, 30)].map(pack);
  for (let at = 0; at < 20_000; at += 1) {
    const bytes = Buffer.from(good[at % good.length] ?? []);
    for (let change = 0; change <= at % 4; change += 1)
      bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256);
    try {
      const value = unpacker.begin(bytes.subarray(0, Math.ceil(random() * bytes.byteLength))).value();
      if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array))
        assert.equal(Object.getPrototypeOf(value), Object.prototype);
    } catch (error) {
      assert.ok(error instanceof Unreadable);
    }
  }
  assert.equal(Object.hasOwn(Object.prototype, 'b'), false);
});
