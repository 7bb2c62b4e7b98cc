import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runFile, type FileOutcome } from './run-file.ts';

const run = async (t: TestContext, source: string, limitMs = 30_000): Promise<FileOutcome> => {
  const cwd = mkdtempSync(join(tmpdir(), 'thrum-run-file-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'x.test.mjs'), `import test from 'node:test'; import assert from 'node:assert';\n${source}`);
  // A test inside a test would otherwise report to its parent.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return runFile({ file: 'x.test.mjs', cwd, execArgv: [], env, limitMs });
};
const results = (outcome: FileOutcome): string[] => outcome.verdicts.map((one) => one.result);

test('passed, failed and skipped tests are told apart, subtests counted once', async (t) => {
  const outcome = await run(
    t,
    `test('a', () => {}); test('b', () => assert.equal(1, 2)); test('c', { skip: 'no part' }, () => {}); test('d', { todo: true }, () => {});
     test('e', async (t) => { await t.test('f', () => { throw new Error('no'); }); });
     test.describe('suite', () => { test('g', () => {}); });`,
  );
  const counts = outcome.verdicts.map((one) => `${one.name} ${one.result} ${one.why ?? ''}`.trim()).sort();
  assert.deepEqual(counts, ['a passed', 'b failed', 'c skipped no part', 'd skipped to do', 'f failed', 'g passed']);
  assert.deepEqual(outcome.faults, []);
  assert.match(outcome.output, /1 == 2/);
});

test('a file that crashes while it is loaded is at fault', async (t) => {
  const outcome = await run(t, `throw new Error('boom')`);
  assert.equal(outcome.faults.length + results(outcome).filter((one) => one === 'failed').length, 1);
});

test('a file that passes its tests and then never ends is ended and at fault', async (t) => {
  const outcome = await run(t, `test('a', () => {}); setInterval(() => {}, 1000);`, 1500);
  assert.deepEqual(outcome.faults, ['did not end within 1.5 s']);
});

test('a file that spins is ended and at fault', async (t) => {
  const outcome = await run(t, `test('a', () => { for (;;); });`, 1500);
  assert.deepEqual(outcome.faults, ['did not end within 1.5 s']);
});

test(
  'a file that leaves a process behind, even in a group of its own, is at fault, and the process is ended',
  { skip: process.platform === 'linux' ? false : 'only Linux tells what a process inherited' },
  async (t) => {
    const outcome = await run(
      t,
      `import { spawn } from 'node:child_process';
       test('a', () => { const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }); child.unref(); console.log('pid=' + child.pid); });`,
    );
    assert.deepEqual(results(outcome), ['passed']);
    assert.equal(outcome.faults.length, 1);
    assert.match(outcome.faults[0] ?? '', /left 1 running: \d+ sleep 600/);
    const pid = Number(/pid=(\d+)/.exec(outcome.output)?.[1]);
    const gone = (): boolean => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    };
    const until = performance.now() + 5000;
    while (!gone() && performance.now() < until) await new Promise((next) => setTimeout(next, 10));
    assert.ok(gone());
  },
);
