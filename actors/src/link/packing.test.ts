/** What is told is read back, what the library alone writes is read too, and no bytes do harm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { seededRandom } from '../testing/random.ts';
import { packingLimits, Unreadable } from './frame-check.ts';
import { pack as packView, unpack as unpackAll } from './packing.ts';

const pack = (value: unknown): Uint8Array => new Uint8Array(packView(value));
const unpack = (bytes: Uint8Array): unknown => {
  const values: unknown[] = [];
  unpackAll(bytes, (value) => values.push(value));
  if (values.length !== 1) throw new Unreadable(`${values.length} values`);
  return values[0];
};

const key = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text !== '__proto__');
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    ...[fc.integer(), fc.maxSafeInteger(), fc.double().map((value) => value + 0), fc.boolean(), fc.constant(null)],
    ...[fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 40 }), fc.uint8Array({ maxLength: 400 })],
    fc.array(tie('value'), { maxLength: 20 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 20 }).map((fields) => Object.fromEntries(fields)),
  ),
}));
const edges: readonly unknown[] = [
  ...[0, -1, -32, -33, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1],
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

test('a large message keeps its bytes when others are written after it', () => {
  for (const length of [20_000, 2_000_000]) {
    const first = packView('x'.repeat(length));
    packView('y'.repeat(length));
    assert.equal(unpack(first), 'x'.repeat(length));
  }
});

test('several values one behind the other are read one by one', () => {
  const values: unknown[] = [];
  unpackAll(Buffer.concat([pack([1]), pack('two'), pack({ three: 3 })]), (value) => values.push(value));
  assert.deepEqual(values, [[1], 'two', { three: 3 }]);
});

test('cycles, too much, and what has no form are refused', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const [value, why] of [
    [cycle, /deep/],
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

test('lists in lists that each announce less than there are bytes are refused, too', () => {
  const announcing = Buffer.from('dd000186a0', 'hex');
  assert.throws(
    () => unpack(Buffer.concat([...new Array<Buffer>(50).fill(announcing), Buffer.alloc(150_000)])),
    /shorter/,
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
      const value = unpack(bytes.subarray(0, Math.ceil(random() * bytes.byteLength)));
      if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array))
        assert.equal(Object.getPrototypeOf(value), Object.prototype);
    } catch (error) {
      assert.ok(error instanceof Unreadable);
    }
  }
  assert.equal(Object.hasOwn(Object.prototype, 'b'), false);
});
