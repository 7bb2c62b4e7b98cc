import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from './catalogue.ts';
import { checkDictionary, dictionaryOf, fitsTarget, toWire, type WireTarget } from './dictionary.ts';
import { limits } from './limits.ts';
import { gauge, target } from './schema.ts';

const load = toWire(catalogue.find((one) => one.name === 'load') ?? assert.fail('load is declared'));

test('the hash names the targets and their order', () => {
  assert.equal(dictionaryOf(catalogue).hash, dictionaryOf([...catalogue]).hash);
  assert.notEqual(dictionaryOf(catalogue).hash, dictionaryOf(catalogue.toReversed()).hash);
  assert.match(dictionaryOf(catalogue).hash, /^[0-9a-f]{16}$/);
});

test('the catalogue itself is a valid dictionary', () => {
  assert.deepEqual(checkDictionary(dictionaryOf(catalogue).targets), { ok: true });
});

test('an older agent that knows fewer metrics fits; another unit, kind or field does not', () => {
  const fewer: WireTarget = { ...load, metrics: load.metrics.slice(0, 2) };
  assert.equal(fitsTarget(load, load), true);
  assert.equal(fitsTarget(load, fewer), true);
  assert.equal(fitsTarget(fewer, load), false);
  assert.equal(fitsTarget(load, { ...load, fields: ['cpu'] }), false);
  const [first, ...rest] = load.metrics;
  assert.ok(first);
  assert.equal(fitsTarget(load, { ...load, metrics: [{ ...first, kind: 'counter' }, ...rest] }), false);
});

const bad: [string, readonly WireTarget[], string][] = [
  ['a target twice', [load, load], 'malformed'],
  ['a name that could not be stored', [{ ...load, name: '../x' }], 'malformed'],
  ['a metric twice', [{ ...load, metrics: [...load.metrics, ...load.metrics] }], 'malformed'],
  ['a metric named as a field', [{ ...load, fields: ['load1'] }], 'malformed'],
  [
    'too many targets',
    Array.from({ length: limits.maxTargets + 1 }, (_, i) => ({ ...load, name: `t${i}` })),
    'too-large',
  ],
];
for (const [what, targets, code] of bad)
  test(`a dictionary with ${what} is refused`, () => {
    const result = checkDictionary(targets);
    assert.ok(!result.ok && result.code === code);
  });

test('a chart of a metric that is not declared is a mistake in the catalogue, found at start', () => {
  const declared = {
    name: 'x',
    title: 'X',
    sentence: '',
    fields: [],
    metrics: [gauge('a', 'count', '')],
    charts: [{ title: 'X', metrics: ['b'] }],
  };
  assert.throws(() => target(declared), /chart "X" draws "b"/);
});
