/** Settings as a program meets them: what is printed where, and how it ends. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const program = `
  import { integer, settingsOrExit } from ${JSON.stringify(new URL('settings.ts', import.meta.url).href)};
  const values = settingsOrExit({ retentionDays: integer({ help: 'days kept', default: 5 }) }, 'thrum-test');
  process.stdout.write(String(values.retentionDays));
`;
const folder = mkdtempSync(join(tmpdir(), 'thrum-settings-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'program.mjs');
writeFileSync(path, program);
const run = (env: Record<string, string>, ...argv: string[]) =>
  spawnSync(process.execPath, [path, ...argv], { env, encoding: 'utf8' });

test('a wrong setting ends the program with code 2 and one message on stderr', () => {
  const { status, stdout, stderr } = run({ THRUM_RETENTION_DAYS: 'many' }, '--unknown');
  assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
  assert.equal(
    stderr,
    [
      'thrum-test: wrong settings',
      '  --unknown: no such option (see --help)',
      "  THRUM_RETENTION_DAYS: expected a whole number of at least 0, got 'many'",
      '',
    ].join('\n'),
  );
});

test('help is printed on stdout and ends the program with code 0', () => {
  const { status, stdout } = run({}, '--help');
  assert.equal(status, 0);
  assert.match(stdout, /--retention-days NUMBER +THRUM_RETENTION_DAYS +days kept \(default 5\)/);
});

test('a good setting is read; a misspelled variable is warned about', () => {
  const { status, stdout, stderr } = run({ THRUM_RETENTOIN_DAYS: '1' }, '--retention-days', '7');
  assert.deepEqual([status, stdout], [0, '7']);
  assert.equal(stderr, 'thrum-test: THRUM_RETENTOIN_DAYS: no setting has this name; it is ignored\n');
});
