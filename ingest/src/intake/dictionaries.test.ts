import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryHash, dictionaryOf, toWire, type WireTarget } from '@thrum/actors/wire/dictionary';
import { gauge, target } from '@thrum/actors/wire/schema';
import { Dictionaries } from './dictionaries.ts';

const own = dictionaryOf(catalogue);
const named = (targets: readonly WireTarget[]) => ({ hash: dictionaryHash(targets), targets });
const codeOf = (message: unknown, dictionaries = new Dictionaries(catalogue)): string => {
  const declared = dictionaries.declare(message);
  return declared.ok ? 'ok' : declared.code;
};
const other = (name: string): WireTarget =>
  toWire(
    target({ name, title: '', sentence: '', fields: [], metrics: [gauge('value', 'count', 'A value.')], charts: [] }),
  );

test('a declared dictionary is found by its hash from then on', () => {
  const dictionaries = new Dictionaries(catalogue);
  assert.equal(dictionaries.find(own.hash), undefined);
  assert.equal(codeOf(own, dictionaries), 'ok');
  assert.deepEqual(dictionaries.find(own.hash)?.targets, own.targets);
});

test('a dictionary under a hash that is not its own is refused and not kept', () => {
  const dictionaries = new Dictionaries(catalogue);
  assert.equal(codeOf({ ...named([other('mine')]), hash: own.hash }, dictionaries), 'malformed');
  assert.equal(dictionaries.find(own.hash), undefined);
});

test('a target that differs from the catalogue is a conflict, one with fewer metrics or an unknown name is not', () => {
  const cpu = own.targets.find((one) => one.name === 'cpu');
  assert.ok(cpu);
  assert.equal(codeOf(named([{ ...cpu, fields: ['core'] }])), 'schema-conflict');
  const counters = cpu.metrics.map((metric) => ({ ...metric, kind: 'counter' as const }));
  assert.equal(codeOf(named([{ ...cpu, metrics: counters }])), 'schema-conflict');
  assert.equal(codeOf(named([{ ...cpu, metrics: cpu.metrics.slice(0, 2) }])), 'ok');
  assert.equal(codeOf(named([other('something_new')])), 'ok');
  assert.equal(new Dictionaries(catalogue).isKnownTarget('something_new'), false);
  assert.equal(new Dictionaries(catalogue).isKnownTarget('cpu'), true);
});

test('what is no dictionary is malformed', () => {
  const mine = other('mine');
  const bad: unknown[] = [
    undefined,
    7,
    { hash: own.hash },
    { hash: 'x', targets: own.targets },
    named([]),
    named([mine, mine]),
    named([{ ...mine, name: 'Not A Name' }]),
    named([{ ...mine, metrics: [...mine.metrics, ...mine.metrics] }]),
    named([{ ...mine, fields: ['value'] }]),
    named([{ ...mine, metrics: [] }]),
    named(Array.from({ length: 201 }, (_, i) => other(`t${i}`))),
  ];
  for (const message of bad) assert.equal(codeOf(message), 'malformed', JSON.stringify({ message }).slice(0, 100));
  const wide = {
    ...mine,
    metrics: Array.from({ length: 500 }, (_, i) => ({ ...mine.metrics[0], name: `metric_${i}` })),
  };
  const many = Array.from({ length: 40 }, (_, i) => ({ ...wide, name: `t${i}` })) as WireTarget[];
  assert.equal(codeOf(named(many)), 'too-large');
});

test('of very many dictionaries the one not used for longest goes', () => {
  const dictionaries = new Dictionaries(catalogue);
  const hashes = Array.from({ length: 257 }, (_, i) => named([other(`t${i}`)]));
  for (const one of hashes.slice(0, 256)) dictionaries.declare(one);
  assert.ok(dictionaries.find(hashes[0]?.hash ?? ''));
  dictionaries.declare(hashes[256]);
  assert.equal(dictionaries.size, 256);
  assert.ok(dictionaries.find(hashes[0]?.hash ?? ''), 'used a moment ago');
  assert.equal(dictionaries.find(hashes[1]?.hash ?? ''), undefined);
});
