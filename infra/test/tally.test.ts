import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parts } from './parts.ts';
import { setUp } from './set-up.ts';
import { suites } from './suites.ts';
import { addResult, emptyTally, exitCodeOf, faultsOf, lastLine, strict } from './tally.ts';

const file = 'x.test.ts';

test('a tally counts tests, and each fault of a file as one failure', () => {
  const verdicts = (['passed', 'passed', 'failed', 'skipped'] as const).map((result) => ({ name: 'n', result }));
  const tally = addResult(emptyTally, { file, verdicts, faults: ['left 1 running'] });
  assert.deepEqual(tally, { passed: 2, failed: 2, skipped: 1 });
  assert.equal(lastLine(tally), '2 passed, 2 failed');
  assert.equal(exitCodeOf(tally), 1);
});

test('a file without tests is a failure, and so is a run in which nothing passed', () => {
  assert.deepEqual(faultsOf({ file, verdicts: [], faults: [] }), ['has no tests']);
  assert.equal(addResult(emptyTally, { file, verdicts: [], faults: [] }).failed, 1);
  assert.equal(exitCodeOf(emptyTally), 1);
  assert.equal(exitCodeOf({ passed: 1, failed: 0, skipped: 3 }), 0);
});

test('where everything has to be there, a skip is a failure', () => {
  assert.deepEqual(strict({ passed: 1, failed: 0, skipped: 3 }), { passed: 1, failed: 3, skipped: 0 });
});

test('every test file of the repository belongs to exactly one suite', () => {
  const root = new URL('../..', import.meta.url).pathname;
  const all = suites.flatMap((suite) => suite.groups(root).flatMap((group) => group.files));
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.includes('infra/test/tally.test.ts'));
  assert.ok(!all.some((one) => one.includes('node_modules')));
});

test('parts that a variable names are not looked for', () => {
  const env = { PATH: '/nowhere', THRUM_CHROMIUM: process.execPath, ELASTICSEARCH_URL: 'http://127.0.0.1:9200' };
  const missing = parts.filter((part) => part.missing(env).length > 0).map((part) => part.name);
  assert.ok(!missing.includes('chromium') && !missing.includes('elasticsearch'));
});

test('where nothing may be installed, what is missing is named with the packages that bring it', () => {
  const said: string[] = [];
  const { missing } = setUp(['chromium'], { PATH: '', THRUM_CHROMIUM: '/nowhere', THRUM_NO_SETUP: '1' }, (line) =>
    said.push(line),
  );
  assert.deepEqual([...missing], [['chromium', ['chromium']]]);
  assert.deepEqual(said, []);
});
