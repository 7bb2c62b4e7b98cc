import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { DirectoryInUse, openDirectory } from './disk.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (of: string): Uint8Array => Buffer.from(of);
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('the directory and its file are for this user only, also when they were made for more', async (t) => {
  const directory = join(temporaryDirectory(t), 'deep', 'sessions');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  writeFileSync(join(directory, 'sessions.log'), 'x', { mode: 0o644 });
  const disk = await openDirectory(directory);
  assert.equal(modeOf(directory), '700');
  assert.equal(modeOf(join(directory, 'sessions.log')), '600');
  await disk.replace([bytes('y')]);
  assert.equal(modeOf(join(directory, 'sessions.log')), '600');
  await disk.close();
});

test('what is appended and replaced is there, in order, also after it is opened again', async (t) => {
  const directory = temporaryDirectory(t);
  const disk = await openDirectory(directory);
  assert.equal(text(await disk.read()), '');
  await disk.append(bytes('a'), { sync: true });
  await disk.append(bytes('b'), { sync: false });
  assert.equal(text(await disk.read()), 'ab');
  await disk.replace([bytes('c'), bytes('d')]);
  await disk.append(bytes('e'), { sync: true });
  assert.equal(text(await disk.read()), 'cde');
  await disk.close();
  const again = await openDirectory(directory);
  await again.append(bytes('f'), { sync: true });
  assert.equal(text(await again.read()), 'cdef');
  await again.close();
});

test('a writing that was cut off in the middle leaves the file before it', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'sessions.log'), 'before');
  writeFileSync(join(directory, 'sessions.log.new'), 'half of');
  const disk = await openDirectory(directory);
  assert.equal(text(await disk.read()), 'before');
  assert.equal(existsSync(join(directory, 'sessions.log.new')), false);
  await disk.close();
});

test('a second owner of the directory is refused while the first is there', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await openDirectory(directory);
  await assert.rejects(openDirectory(directory), (error: unknown) => {
    assert.ok(error instanceof DirectoryInUse);
    assert.ok(error.message.includes(directory));
    return true;
  });
  await first.close();
  await (await openDirectory(directory)).close();
});

test('the lock of a process that was killed is no lock', async (t) => {
  const directory = temporaryDirectory(t);
  const script = `import { openDirectory } from ${JSON.stringify(join(import.meta.dirname, 'disk.ts'))};
    await openDirectory(${JSON.stringify(directory)}); console.log('open'); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(openDirectory(directory), DirectoryInUse);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await openDirectory(directory)).close();
});

test('a directory that cannot be made is an error of the system', async (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(openDirectory(join(file, 'sessions')), { code: 'ENOTDIR' });
});
