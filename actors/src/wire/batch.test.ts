import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchHeaderBytes, decodeBatch, encodeBatch, readBatchHeader, type Sample } from './batch.ts';
import { catalogue } from './catalogue.ts';
import { dictionaryOf } from './dictionary.ts';
import { limits } from './limits.ts';

const dictionary = dictionaryOf(catalogue);
const indexOf = (name: string): number => dictionary.targets.findIndex((one) => one.name === name);
const timeMs = Date.UTC(2026, 10, 22, 12);
const load = (values: (number | undefined)[], at = timeMs): Sample => ({
  target: indexOf('load'),
  fields: [],
  timeMs: at,
  values,
});
const pressure = (resource: string, values: (number | undefined)[] = [1, 2]): Sample => ({
  target: indexOf('pressure'),
  fields: [resource],
  timeMs,
  values,
});
const decoded = (bytes: Uint8Array, memory?: Parameters<typeof decodeBatch>[2]) => {
  const result = decodeBatch(bytes, dictionary, memory);
  assert.ok(result.ok, JSON.stringify(result));
  return result;
};

test('what was written is read back, whatever the samples are', () => {
  const anySample = fc.integer({ min: 0, max: dictionary.targets.length - 1 }).chain((target) =>
    fc.record({
      target: fc.constant(target),
      fields: fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), {
        minLength: dictionary.targets[target]?.fields.length ?? 0,
        maxLength: dictionary.targets[target]?.fields.length ?? 0,
      }),
      timeMs: fc.integer({ min: timeMs - 1_000_000, max: timeMs + 1_000_000 }),
      values: fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }), {
        minLength: dictionary.targets[target]?.metrics.length ?? 0,
        maxLength: dictionary.targets[target]?.metrics.length ?? 0,
      }),
    }),
  );
  fc.assert(
    fc.property(
      fc.array(anySample, { minLength: 1, maxLength: 30 }),
      fc.nat(0xffff_ffff),
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      (samples, epoch, seq) => {
        const { bytes, leftOut } = encodeBatch(dictionary, epoch, seq, samples);
        const { batch } = decoded(bytes);
        assert.equal(leftOut, 0);
        assert.equal(batch.badValues, 0);
        assert.deepEqual([batch.epoch, batch.seq, batch.dictionary], [epoch, seq, dictionary.hash]);
        samples.forEach((sample, i) => {
          assert.deepEqual(batch.shape.series[i]?.fields, sample.fields);
          assert.equal(batch.timesMs[i], sample.timeMs);
          const values = batch.values.subarray(batch.shape.offsets[i], batch.shape.offsets[i + 1]);
          sample.values.forEach((value, k) => assert.ok(Object.is(values[k], value ?? Number.NaN)));
        });
      },
    ),
    { numRuns: 200 },
  );
});

test('a value that is not finite is left out and counted, the rest of the sample stays', () => {
  const { bytes, leftOut } = encodeBatch(dictionary, 1, 1, [load([Number.NaN, 2, Number.POSITIVE_INFINITY])]);
  assert.equal(leftOut, 2);
  assert.deepEqual([...decoded(bytes).batch.values], [Number.NaN, 2, Number.NaN]);
});

test('a value that was not measured is missing and not counted as bad', () => {
  const { bytes, leftOut } = encodeBatch(dictionary, 1, 1, [load([undefined, 2, 3])]);
  assert.equal(leftOut, 0);
  assert.deepEqual([...decoded(bytes).batch.values], [Number.NaN, 2, 3]);
});

test('infinity written by somebody else is left out and counted by the reader', () => {
  const { bytes } = encodeBatch(dictionary, 1, 1, [load([1, 2, 3])]);
  new DataView(bytes.buffer).setFloat64(batchHeaderBytes + 8, Number.NEGATIVE_INFINITY, true);
  const { batch } = decoded(bytes);
  assert.equal(batch.badValues, 1);
  assert.deepEqual([...batch.values], [1, Number.NaN, 3]);
});

test('an unchanged shape is handed out as the same object, a changed one is read anew', () => {
  const first = decoded(encodeBatch(dictionary, 1, 1, [pressure('cpu'), pressure('io')]).bytes);
  const second = decoded(encodeBatch(dictionary, 1, 2, [pressure('cpu', [3, 4]), pressure('io')]).bytes, first.memory);
  assert.equal(second.batch.shape, first.batch.shape);
  const third = decoded(encodeBatch(dictionary, 1, 3, [pressure('cpu'), pressure('memory')]).bytes, second.memory);
  assert.notEqual(third.batch.shape, second.batch.shape);
  assert.equal(third.batch.shape.series[1]?.id, 'pressure:memory');
});

test('a batch that lies anywhere in a larger buffer is read the same', () => {
  const { bytes } = encodeBatch(dictionary, 7, 9, [load([1, 2, 3])]);
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  assert.deepEqual([...decoded(larger.subarray(3)).batch.values], [1, 2, 3]);
});

test('a field value too long to be stored is cut between characters', () => {
  const { bytes } = encodeBatch(dictionary, 1, 1, [pressure('ü'.repeat(400))]);
  assert.equal(decoded(bytes).batch.shape.series[0]?.fields[0], 'ü'.repeat(limits.maxFieldBytes / 2));
});

test('every beginning of a batch is refused as malformed', () => {
  const { bytes } = encodeBatch(dictionary, 1, 1, [load([1, 2, 3]), pressure('cpu')]);
  for (let length = 0; length < bytes.length; length += 1) {
    const result = decodeBatch(bytes.subarray(0, length), dictionary);
    assert.ok(!result.ok && result.code === 'malformed', `${length} bytes`);
  }
});

test('bytes changed at random are read or refused, never thrown at', () => {
  const { bytes } = encodeBatch(dictionary, 1, 1, [load([1, 2, 3]), pressure('cpu'), pressure('memory')]);
  const codes = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (changes) => {
        const changed = bytes.slice();
        for (const [at, value] of changes) changed[at] = value;
        const result = decodeBatch(changed, dictionary);
        codes.add(result.ok ? 'ok' : result.code);
      },
    ),
    { numRuns: 20_000 },
  );
  assert.deepEqual([...codes].sort(), ['malformed', 'ok', 'unknown-dictionary']);
});

test('a batch of another dictionary, or a larger one than allowed, is refused by name', () => {
  const other = dictionaryOf(catalogue.slice(1));
  const { bytes } = encodeBatch(other, 1, 1, [{ target: 0, fields: ['total'], timeMs, values: Array(9).fill(1) }]);
  const result = decodeBatch(bytes, dictionary);
  assert.ok(!result.ok && result.code === 'unknown-dictionary');
  const large = decodeBatch(new Uint8Array(limits.maxBatchBytes + 1), dictionary);
  assert.ok(!large.ok && large.code === 'too-large');
});

test('the header alone tells who a batch is', () => {
  const { bytes } = encodeBatch(dictionary, 3, 2 ** 40, [load([1, 2, 3])]);
  assert.deepEqual(readBatchHeader(bytes), { dictionary: dictionary.hash, epoch: 3, seq: 2 ** 40 });
  assert.equal(readBatchHeader(bytes.subarray(0, 47)), undefined);
});
