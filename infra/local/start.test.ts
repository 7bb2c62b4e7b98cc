import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startTimes } from './file-lock.ts';

/** The launchers themselves, where they must not start anything: what they say and how they end. */
const launch = (script: 'start' | 'mesh', ...args: string[]): Promise<{ code: number | null; said: string }> =>
  new Promise((resolve) => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^THRUM_(?!TEST_)/.test(key)));
    const child = spawn(process.execPath, [join(import.meta.dirname, `${script}.ts`), ...args], { env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('close', (code) => resolve({ code, said: said.trim() }));
  });
const temporary = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-start-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
const anyPorts = ['--port', '0', '--ingest-port', '0', '--mesh-port', '0', '--metrics-port', '0'];

test('an unknown option and a wrong value are named together, and nothing starts', async () => {
  const { code, said } = await launch('start', '--prot', '7070', '--metrics-port=many');
  assert.equal(code, 2);
  assert.match(said, /--prot: no such option/);
  assert.match(said, /--metrics-port: expected .*'many'/);
});

test('a port in use is named with the option that changes it', async (t) => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const options = [...anyPorts, '--data', join(temporary(t), 'data')];
  const busyPort = await launch('start', ...options, '--ingest-port', String(port));
  assert.equal(busyPort.code, 2);
  assert.equal(
    busyPort.said,
    `Port ${port} (agents) on 127.0.0.1 cannot be used (EADDRINUSE): free it, or choose another with --ingest-port.`,
  );
  const mesh = await launch('mesh', '--data', join(temporary(t), 'data'), '--port', String(port), '--ingest-port', '0');
  assert.equal(mesh.code, 2);
  assert.match(mesh.said, new RegExp(`^Port ${port} cannot be used \\(EADDRINUSE\\)`));
});

test('a data directory that cannot be used is named', async (t) => {
  const file = join(temporary(t), 'file');
  writeFileSync(file, '');
  const { code, said } = await launch('start', ...anyPorts, '--data', file);
  assert.equal(code, 2);
  assert.match(said, /^The data directory .*file cannot be used \(E(EXIST|NOTDIR)\): /);
});

test('a second launcher on the same data directory is refused and told who is there', async (t) => {
  const data = temporary(t);
  const holder = { pid: process.pid, started: startTimes([process.pid]).get(process.pid) };
  writeFileSync(join(data, 'launcher.lock'), JSON.stringify(holder));
  const { code, said } = await launch('start', ...anyPorts, '--data', data);
  assert.equal(code, 2);
  assert.equal(
    said,
    `Thrum already runs on ${data} (process ${process.pid}). Stop it first, or choose another directory with --data.`,
  );
});
