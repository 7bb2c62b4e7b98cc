import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { startRole, type Role, type RoleEvent, type RoleOptions } from './role.ts';

/** Ends with 1 on its first runs, as many as `crashes`; then stays. */
const flaky = (marks: string, crashes: number): string => `
  const fs = require('node:fs');
  fs.appendFileSync(${JSON.stringify(marks)}, 'x');
  if (fs.readFileSync(${JSON.stringify(marks)}, 'utf8').length <= ${crashes}) process.exit(1);
  console.log('{"ready":"child"}'); setInterval(() => {}, 1000);`;

const start = (
  t: TestContext,
  script: string,
  restart: RoleOptions['restart'],
): { role: Role; events: RoleEvent[]; until: (kind: string, count?: number) => Promise<void> } => {
  const events: RoleEvent[] = [];
  let wake: () => void = () => undefined;
  const role = startRole({
    program: { name: 'child', command: process.execPath, args: ['-e', script], env: process.env },
    restart,
    clock: systemClock,
    onEvent: (event) => {
      events.push(event);
      wake();
    },
  });
  t.after(() => role.kill());
  const until = async (kind: string, count = 1): Promise<void> => {
    while (events.filter((event) => event.kind === kind).length < count)
      await new Promise<void>((resolve) => (wake = resolve));
  };
  return { role, events, until };
};
const marksFile = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-role-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'marks');
};
const stay = `console.log('{"ready":"child"}'); setInterval(() => {}, 1000);`;

test('a program that crashes is started again, and the waits are told', async (t) => {
  const { role, events, until } = start(t, flaky(marksFile(t), 1), 'always');
  await until('ready');
  assert.equal(role.running(), true);
  const ended = events.find((event) => event.kind === 'ended');
  assert.equal(ended?.kind === 'ended' && ended.restartAfterMs, 500);
});

test('a program killed from outside runs again under another process id', async (t) => {
  const { role, until } = start(t, stay, 'always');
  await role.ready();
  const before = role.pid;
  process.kill(before, 'SIGKILL');
  await until('ready', 2);
  assert.notEqual(role.pid, before);
});

test('wrong settings (exit code 2) are not tried again', async (t) => {
  const { role, events, until } = start(t, 'process.exitCode = 2', 'always');
  await until('ended');
  assert.deepEqual(
    events.map((event) => (event.kind === 'ended' ? event.restartAfterMs : event.kind)),
    [undefined],
  );
  assert.equal(role.running(), false);
});

test('kill is not followed by a restart, and restart() starts it anew', async (t) => {
  const { role, events } = start(t, stay, 'always');
  await role.ready();
  assert.deepEqual(await role.kill(), { code: null, signal: 'SIGKILL' });
  assert.equal(role.running(), false);
  await role.restart();
  assert.equal(role.running(), true);
  assert.equal(
    events.some((event) => event.kind === 'ended'),
    false,
  );
});

test('without restarts a program that ends stays ended', async (t) => {
  const { role, events, until } = start(t, `${stay} setTimeout(() => process.exit(0), 50)`, 'never');
  await until('ended');
  const ended = events.find((event) => event.kind === 'ended');
  assert.ok(ended?.kind === 'ended');
  assert.equal(ended.restartAfterMs, undefined);
  assert.equal(role.running(), false);
});

test('a paused program does nothing until it is resumed', async (t) => {
  const ticking = `console.log('{"ready":"child"}'); setInterval(() => console.log('tick'), 5)`;
  const { role, events, until } = start(t, ticking, 'never');
  await until('output', 3);
  role.pause();
  // The state is the system's: T is stopped.
  const { readFileSync } = await import('node:fs');
  const state = (): string => readFileSync(`/proc/${role.pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
  while (process.platform === 'linux' && state() !== 'T') await new Promise((next) => setImmediate(next));
  const ticks = events.length;
  role.resume();
  await until('output', ticks + 3);
  assert.ok(events.length > ticks);
});
