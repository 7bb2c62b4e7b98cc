/**
 * Inputs as nobody meant them, for tests of parsers: a good input goes in, a damaged one comes out, the same from the same seed. What is
 * tried is what parsers stumble over: flipped bits, cuts, pieces moved, repeated and mixed in from other inputs (`dictionary`), lengths
 * and numbers at the edge of their type; for values already parsed from JSON: other types, deep nesting, keys of the prototype, huge texts.
 */
import { seededRandom } from './random.ts';

export type Mutate = (input: Uint8Array, dictionary?: readonly Uint8Array[]) => Uint8Array;
export type MutateJson = (value: unknown) => unknown;

const maxOutputBytes = 1 << 20;
const integers = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const floats = [
  ...[0, -0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE],
  ...[Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, 2 ** 63, 8.64e15, 1e308],
];

type Dice = {
  readonly below: (n: number) => number;
  readonly of: <T>(list: readonly T[]) => T;
  /** True once in so many times. */
  readonly one: (inTimes: number) => boolean;
};

const dice = (seed: number): Dice => {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  return {
    below,
    of: (list) => list[below(list.length)] as (typeof list)[number],
    one: (inTimes) => below(inTimes) === 0,
  };
};

const join = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** Writes a number of 1 to 8 bytes somewhere, in either order of bytes; often an edge, sometimes a length that could be right. */
const setNumber = (bytes: Uint8Array, { below, of, one }: Dice): Uint8Array => {
  const width = Math.min(of([1, 2, 4, 8]), bytes.length);
  const at = below(bytes.length - width + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !one(4);
  const number = of([of(integers), bytes.length, bytes.length - at, at, below(256), -1 - below(4)]);
  if (width === 8) {
    if (one(2)) view.setFloat64(at, one(2) ? of(floats) : number, little);
    else view.setBigUint64(at, BigInt.asUintN(64, BigInt(Math.trunc(number))), little);
  } else if (width === 4) view.setUint32(at, number >>> 0, little);
  else if (width === 2) view.setUint16(at, number & 0xffff, little);
  else bytes[at] = number & 0xff;
  return bytes;
};

/** Adds a little to a number that is there: counts and lengths that are off by some. */
const shiftNumber = (bytes: Uint8Array, { below, of }: Dice): Uint8Array => {
  const width = Math.min(of([1, 2, 4]), bytes.length);
  const at = below(bytes.length - width + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const by = below(17) - 8;
  if (width === 4) view.setUint32(at, (view.getUint32(at, true) + by) >>> 0, true);
  else if (width >= 2) view.setUint16(at, (view.getUint16(at, true) + by) & 0xffff, true);
  else bytes[at] = ((bytes[at] ?? 0) + by) & 0xff;
  return bytes;
};

const piece = (bytes: Uint8Array, { below, one }: Dice): Uint8Array => {
  const from = below(bytes.length + 1);
  const longest = bytes.length - from;
  return bytes.slice(from, from + below((one(2) ? Math.min(64, longest) : longest) + 1));
};

const once = (bytes: Uint8Array, others: readonly Uint8Array[], roll: Dice): Uint8Array => {
  const { below, of } = roll;
  if (bytes.length === 0) return Uint8Array.from({ length: below(64) }, () => below(256));
  const at = below(bytes.length);
  switch (below(11)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      return bytes;
    case 2:
      bytes[at] = of([0, 1, 0x7f, 0x80, 0xff, below(256)]);
      return bytes;
    case 3:
    case 4:
      return setNumber(bytes, roll);
    case 5:
      return shiftNumber(bytes, roll);
    case 6:
      return roll.one(2)
        ? bytes.slice(0, at)
        : join(bytes.slice(0, at), bytes.slice(at + below(bytes.length - at + 1)));
    case 7: {
      const part = piece(bytes, roll);
      const times = of([1, 1, 2, 3, 64]);
      return join(bytes.slice(0, at), ...Array.from({ length: times }, () => part), bytes.slice(at));
    }
    case 8: {
      const other = others.length > 0 ? of(others) : bytes;
      return join(bytes.slice(0, at), piece(other, roll), bytes.slice(roll.one(2) ? at : bytes.length));
    }
    case 9:
      return bytes.fill(of([0, 0xff, below(256)]), at, at + below(roll.one(4) ? 4096 : 32) + 1);
    default: {
      const part = piece(bytes, roll);
      bytes.set(part.subarray(0, bytes.length - at), at);
      return bytes;
    }
  }
};

/** One to some mutations of the input, which stays as it is. The result never has more than 1 MiB and the length of the input. */
export const mutations = ({ seed }: { seed: number }): Mutate => {
  const roll = dice(seed);
  return (input, dictionary = []) => {
    const most = maxOutputBytes + input.length;
    let bytes = Uint8Array.from(input);
    for (let left = roll.of([1, 1, 1, 2, 2, 3, 4, 8, 16]); left > 0; left -= 1) {
      const next = once(bytes, dictionary, roll);
      bytes = Uint8Array.from(next.length > most ? next.subarray(0, most) : next);
    }
    return bytes;
  };
};

const nested = (depth: number, isArray: boolean): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = isArray ? [value] : { a: value };
  return value;
};

const oddKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  '0',
  'a'.repeat(10_000),
];
const oddTexts = ['', '\u0000', '\ud800', '\u202e', '../../etc/passwd', '<script>', 'NaN', '1e999', '💥'.repeat(50)];

const oddValue = ({ below, of, one }: Dice): unknown => {
  switch (below(12)) {
    case 0:
      return null;
    case 1:
      return undefined;
    case 2:
      return of(floats);
    case 3:
      return of(integers) * (one(3) ? -1 : 1);
    case 4:
      return of(oddTexts);
    case 5:
      return 'x'.repeat(of([255, 256, 257, 65_536, 300_000]));
    case 6:
      return nested(of([10, 100, 500]), one(2));
    case 7:
      return Array.from({ length: of([0, 1, 1000, 20_000]) }, () => below(10));
    case 8:
      return new Uint8Array(below(100));
    case 9:
      // As JSON.parse makes it: an own property with that name.
      return JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}');
    case 10:
      return one(2);
    default:
      return {};
  }
};

const put = (into: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
};

const copyJson = (value: unknown, change: (value: unknown) => unknown): unknown => {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) put(copy, key, change(inner));
  return copy;
};

const countPlaces = (value: unknown): number => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countPlaces(inner), 1);
};

const changeValue = (value: unknown, roll: Dice): unknown => {
  const { below, of, one } = roll;
  if (one(3)) return oddValue(roll);
  if (typeof value === 'number')
    return of([value + 1, value - 1, -value, value + 0.5, value * 1e9, String(value), of(floats)]);
  if (typeof value === 'string')
    return of([value.slice(1), `${value}${of(oddTexts)}`, value.repeat(3), [value], below(100)]);
  if (typeof value === 'boolean') return of([!value, Number(value), String(value)]);
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return of([
      list.slice(1),
      [...list, ...list],
      [...list, oddValue(roll)],
      list.toReversed(),
      Object.fromEntries(list.entries()),
    ]);
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return oddValue(roll);
  const copy: Record<string, unknown> = {};
  const entries = Object.entries(value);
  const without = one(2) ? below(entries.length) : -1;
  for (const [i, [key, inner]] of entries.entries()) if (i !== without) put(copy, key, inner);
  if (without < 0) put(copy, of(oddKeys), oddValue(roll));
  return copy;
};

/** The value with one to some places changed; the value itself stays as it is. For the values of messages: bounded in size, not cyclic. */
export const mutateJson = ({ seed }: { seed: number }): MutateJson => {
  const roll = dice(seed);
  return (value) => {
    let result = value;
    for (let left = roll.of([1, 1, 1, 2, 3]); left > 0; left -= 1) {
      let place = roll.below(Math.min(countPlaces(result), 5000));
      const walk = (one: unknown): unknown => (place-- === 0 ? changeValue(one, roll) : copyJson(one, walk));
      result = walk(result);
    }
    return result;
  };
};
