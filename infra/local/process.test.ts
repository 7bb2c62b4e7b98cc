import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { NotReadyError, startProcess, type Output, type Program, type Run } from './process.ts';

const program = (script: string, more: Partial<Program> = {}): Program => ({
  name: 'child',
  command: process.execPath,
  args: ['-e', script],
  env: process.env,
  ...more,
});
const start = (t: TestContext, one: Program, onOutput?: (output: Output) => void): Run => {
  const run = startProcess(one, onOutput);
  t.after(() => {
    run.signalGroup('SIGKILL');
    return run.ended;
  });
  return run;
};
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const stayReady = `console.log('{"ready":"child","port":7}'); setInterval(() => {}, 1000);`;

test('a program is ready when it says so on its output, with the ports it says', async (t) => {
  const run = start(t, program(`console.log('hello'); console.error('{"ready":"no"}'); ${stayReady}`));
  assert.deepEqual(await run.ready, { ready: 'child', port: 7 });
  assert.equal(run.hasEnded(), false);
});

test('every line is handed on, whole, and long ones are cut', async (t) => {
  const lines: Output[] = [];
  const run = start(t, program(`console.log('a\\nb'); console.error('x'.repeat(9000)); `), (line) => lines.push(line));
  await run.ended;
  assert.deepEqual(
    lines.filter((one) => one.from === 'stdout').map((one) => one.line),
    ['a', 'b'],
  );
  assert.equal(lines.find((one) => one.from === 'stderr')?.line.length, 4001);
});

test('a program that ends before it is ready is told with its exit code and its last words', async (t) => {
  const run = start(t, program(`console.error('port 7070 is taken'); process.exitCode = 2`));
  await assert.rejects(run.ready, (error) => {
    assert.ok(error instanceof NotReadyError);
    assert.equal(error.ending?.code, 2);
    assert.match(error.message, /child ended with exit code 2 before it was ready\.\n {2}port 7070 is taken/);
    return true;
  });
});

test('a program that takes too long to be ready is ended', async (t) => {
  const run = start(t, program(`setInterval(() => {}, 1000)`, { readyWithinMs: 100 }));
  await assert.rejects(run.ready, /was not ready within 100 ms/);
  assert.equal((await run.ended).signal, 'SIGKILL');
});

test('a program that does not exist is told by its name', async (t) => {
  const run = start(t, program('', { command: '/nowhere/at-all' }));
  await assert.rejects(run.ready, /\/nowhere\/at-all/);
});

test('a program without a ready line is asked until it answers', async (t) => {
  let asked = 0;
  const run = start(t, program(`setInterval(() => {}, 1000)`, { isReady: () => Promise.resolve(++asked > 3) }));
  await run.ready;
  assert.equal(asked, 4);
});

test('an orderly stop lets the program finish', async (t) => {
  const run = start(t, program(`process.on('SIGTERM', () => process.exit(0)); ${stayReady}`));
  await run.ready;
  assert.deepEqual(await run.stop(5000), { code: 0, signal: null });
});

test('an orderly stop reaches a paused program, and one that does not obey is ended by force', async (t) => {
  const run = start(t, program(`process.on('SIGTERM', () => {}); ${stayReady}`));
  await run.ready;
  run.signalGroup('SIGSTOP');
  assert.deepEqual(await run.stop(100), { code: null, signal: 'SIGKILL' });
});

test('what a program started itself ends with it', async (t) => {
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    console.log(JSON.stringify({ ready: 'child', port: child.pid })); setInterval(() => {}, 1000);`;
  const run = start(t, program(script));
  const { port: grandchild = 0 } = await run.ready;
  assert.ok(alive(grandchild));
  run.signal('SIGKILL');
  await run.ended;
  // A killed process that nobody has waited for still has its id; the system's first process collects it.
  const until = performance.now() + 5000;
  while (alive(grandchild) && performance.now() < until) await new Promise((next) => setTimeout(next, 10));
  assert.equal(alive(grandchild), false);
});
