import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../infra/local/build.ts';
import { mutantSettings } from './mutant-settings.ts';
import { mutants } from './mutants.ts';

test('the words that a mutant replaces are in the product, once', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  for (const { name, edits } of mutants)
    for (const { file, from, to } of edits) {
      const source = readFileSync(join(repository, file), 'utf8');
      assert.equal(source.split(from).length, 2, `${name}: ${file}: ${from}`);
      assert.notEqual(from, to);
    }
});

test('a program that is started as a mutant has the wrong rule, and another has not', () => {
  const rules = join(repository, 'ingest', 'src', 'intake', 'rules.ts');
  const ask = `import { rules } from ${JSON.stringify(rules)}; process.stdout.write(String(rules.mayAck({ kind: 'received' })));`;
  const run = (settings: object): string =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', ask], {
      cwd: repository,
      env: { ...process.env, ...settings },
      encoding: 'utf8',
    });
  assert.equal(run(mutantSettings('ack-on-receipt', 'ingest')), 'true');
  assert.equal(run(mutantSettings('ack-on-receipt', 'agent')), 'false');
  assert.equal(run(mutantSettings(undefined, 'ingest')), 'false');
});
