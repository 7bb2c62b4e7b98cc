import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { endLeftOver, openDataDirectory } from './data-directory.ts';
import { startTimes, stillRuns, takeLock } from './file-lock.ts';
import { keepSecret } from './secrets.ts';
import { stampIn, stampOf, writeStamp } from './stamp.ts';

const temporary = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-files-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('a secret is made once, long enough, readable by its owner alone', (t) => {
  const path = join(temporary(t), 'token');
  const secret = keepSecret(path);
  assert.ok(secret.length >= 32);
  assert.equal(modeOf(path), 0o600);
  assert.equal(keepSecret(path), secret);
  assert.notEqual(keepSecret(`${path}-2`), secret);
});

test('a secret that others could read is closed to them, and one too short is refused', (t) => {
  const path = join(temporary(t), 'token');
  writeFileSync(path, 'written by a person 123\n');
  chmodSync(path, 0o644);
  assert.equal(keepSecret(path), 'written by a person 123');
  assert.equal(modeOf(path), 0o600);
  writeFileSync(path, 'short\n');
  assert.throws(() => keepSecret(path), /fewer than 16 characters/);
});

test('a stamp changes with the content, the name and the presence of a source, and with nothing else', (t) => {
  const root = temporary(t);
  mkdirSync(join(root, 'src', 'build'), { recursive: true });
  writeFileSync(join(root, 'src', 'a.ts'), 'one');
  const stamp = (): string => stampOf(root, ['src/**/*', 'lock.json']);
  const first = stamp();
  writeFileSync(join(root, 'src', 'a.ts'), 'one'); // another time, the same content
  writeFileSync(join(root, 'src', 'build', 'out.js'), 'generated');
  writeFileSync(join(root, 'src', 'a.test.ts'), 'a test');
  writeFileSync(join(root, 'other.ts'), 'not a source');
  assert.equal(stamp(), first);
  const seen = new Set([first]);
  const changes = [
    () => writeFileSync(join(root, 'src', 'a.ts'), 'two'),
    () => writeFileSync(join(root, 'src', 'build-page.ts'), ''),
    () => writeFileSync(join(root, 'lock.json'), '{}'),
    () => rmSync(join(root, 'src', 'build-page.ts')),
  ];
  for (const change of changes) {
    change();
    assert.equal(seen.has(stamp()), false);
    seen.add(stamp());
  }
});

test('a stamp is kept beside what was built, and is gone with it', (t) => {
  const output = join(temporary(t), 'build');
  assert.equal(stampIn(output), undefined);
  writeStamp(output, 'abc');
  assert.equal(stampIn(output), 'abc');
});

test('a lock is held by one process at a time, names it, and is void once that process is gone', (t) => {
  const path = join(temporary(t), 'lock');
  const first = takeLock(path);
  assert.ok(first.ok);
  const second = takeLock(path);
  assert.ok(!second.ok);
  assert.equal(second.holder.pid, process.pid);
  first.release();
  assert.ok(takeLock(path).ok);
  // The same process id, started at another time: somebody else.
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: 'Thu Jan  1 00:00:00 1970' }));
  assert.ok(takeLock(path).ok);
  writeFileSync(path, 'not json');
  assert.ok(takeLock(path).ok);
});

test('a process is known by its id and its start', () => {
  const started = startTimes([process.pid]).get(process.pid);
  assert.ok(started);
  assert.equal(stillRuns({ pid: process.pid, started }), true);
  assert.equal(stillRuns({ pid: process.pid, started: 'earlier' }), false);
  assert.equal(startTimes([2 ** 22 + 1]).size, 0);
});

test('a data directory is closed to others, taken by one launcher, and given back', (t) => {
  const path = join(temporary(t), 'data');
  const first = openDataDirectory(path);
  assert.ok(first.ok);
  assert.equal(modeOf(path), 0o700);
  const second = openDataDirectory(path);
  assert.ok(!second.ok);
  assert.match(second.message, new RegExp(`already runs on ${path} \\(process ${process.pid}\\)`));
  first.directory.recordRunning([process.pid]);
  assert.match(readFileSync(join(path, 'running.json'), 'utf8'), new RegExp(String(process.pid)));
  first.directory.release();
  assert.ok(openDataDirectory(path).ok);
});

test('programs that a killed launcher left behind are found again', (t) => {
  const path = join(temporary(t), 'data');
  mkdirSync(path);
  const started = startTimes([process.pid]).get(process.pid) ?? '';
  const left = { pid: process.pid, started };
  writeFileSync(join(path, 'running.json'), JSON.stringify([left, { pid: process.pid, started: 'another' }, 'junk']));
  const opened = openDataDirectory(path);
  assert.ok(opened.ok);
  assert.deepEqual(opened.directory.leftOver, [left]);
});

test('programs that were left behind are ended before anything is started, one that ended meanwhile is no fault', async (t) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const said: string[] = [];
  const gone = once(child, 'exit');
  const leftOver = [
    { pid, started: startTimes([pid]).get(pid) ?? '' },
    { pid: 2 ** 22 + 1, started: 'long ago' },
  ];
  await endLeftOver({ leftOver }, (line) => said.push(line));
  assert.deepEqual(await gone, [null, 'SIGTERM']);
  assert.match(said[0] ?? '', new RegExp(`Ending process ${pid}, `));
});

test('a data directory that cannot be made is one sentence with its path', (t) => {
  const file = join(temporary(t), 'file');
  writeFileSync(file, '');
  const opened = openDataDirectory(join(file, 'data'));
  assert.ok(!opened.ok);
  assert.match(opened.message, /data directory .*file\/data cannot be used \(ENOTDIR\)/);
});
