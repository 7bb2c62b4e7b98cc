import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { readCatalogue } from './catalogue-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'thrum-catalogue-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const read = (content: unknown) => {
  const path = join(directory, `${(files += 1)}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readCatalogue(catalogue, path);
};
const messageOf = (content: unknown): string => {
  const reading = read(content);
  return reading.ok ? 'ok' : reading.message;
};

const queue = {
  name: 'queue',
  title: 'Queue',
  sentence: 'Jobs waiting.',
  fields: [{ name: 'queue', sentence: 'Its name.' }],
  metrics: [{ name: 'waiting', unit: 'count', kind: 'gauge', type: 'long', sentence: 'Jobs waiting.' }],
  charts: [{ title: 'Jobs', metrics: ['waiting'], max: 10 }],
};

test('without a file the catalogue is our own', () => {
  assert.deepEqual(readCatalogue(catalogue, undefined), { ok: true, targets: catalogue });
});

test('targets of a file stand beside our own', () => {
  const reading = read([{ ...queue, fields: [{ name: 'name', sentence: 'Its name.' }] }]);
  assert.ok(reading.ok);
  assert.equal(reading.targets.length, catalogue.length + 1);
  assert.deepEqual(reading.targets.find((one) => one.name === 'queue')?.charts, queue.charts);
});

test('a file that is wrong is refused with its path and what is wrong', () => {
  const cpu = catalogue.find((one) => one.name === 'cpu');
  assert.match(messageOf([{ ...queue, name: 'cpu' }]), /"cpu" is declared already/);
  assert.match(messageOf([cpu]), /"cpu" is declared already/);
  assert.match(messageOf([queue, queue]), /"queue" is declared already/);
  assert.match(messageOf([{ ...queue, name: 'Not a name' }]), /must match/);
  assert.match(messageOf([{ ...queue, charts: [{ title: 'x', metrics: ['nothing'] }] }]), /not declared/);
  assert.match(messageOf([{ ...queue, metrics: [] }]), /0\.metrics/);
  assert.match(messageOf([{ ...queue, colour: 'red' }]), /colour/);
  assert.match(messageOf({ targets: [queue] }), /list of targets/);
  assert.match(messageOf('[{'), /THRUM_CATALOGUE: .*\.json/);
  const missing = readCatalogue(catalogue, join(directory, 'nowhere.json'));
  assert.ok(!missing.ok && /ENOENT/.test(missing.message));
});
