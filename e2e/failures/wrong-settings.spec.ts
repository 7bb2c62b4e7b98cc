/** A program that cannot start says in one message what is wrong, with what, and what to do; and ends with a code that is not 0. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { repository } from '../../infra/local/build.ts';

const key = 'a-mesh-key-that-is-long-enough';
const entries = { agent: 'agent/src/main.ts', ingest: 'ingest/src/main.ts', web: 'web/server.ts' } as const;
type Role = keyof typeof entries;

const directoryFor = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-settings-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

const good = (role: Role, directory: string): Record<string, string> =>
  ({
    agent: {
      THRUM_INGEST: 'http://127.0.0.1:9',
      THRUM_TOKEN: 'x'.repeat(32),
      THRUM_DATA: directory,
      THRUM_METRICS_PORT: '0',
    },
    ingest: {
      THRUM_PORT: '0',
      THRUM_MESH_PORT: '0',
      THRUM_MESH_KEY: key,
      THRUM_TOKEN: 'x'.repeat(32),
      THRUM_STORE: `duckdb:${join(directory, 'x.duckdb')}`,
    },
    web: { THRUM_PORT: '0', THRUM_MESH_PORT: '0', THRUM_MESH_KEY: key, THRUM_DATA: directory },
  })[role];

type Run = { readonly code: number | null; readonly stderr: string };

/** Runs a program that is expected to end by itself. As another user where the test says so: root may write everywhere. */
const run = (
  t: TestContext,
  role: Role,
  env: Record<string, string>,
  options: { uid?: number; args?: string[] } = {},
): Promise<Run> => {
  const child = spawn(process.execPath, [entries[role], ...(options.args ?? [])], {
    cwd: repository,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
};

for (const role of ['agent', 'ingest', 'web'] as const) {
  test(`${role}: every wrong setting is named in one message`, async (t) => {
    const wrong: Record<Role, [Record<string, string>, RegExp[]]> = {
      agent: [{ THRUM_INGEST: 'not a url', THRUM_PERIOD_MS: 'soon' }, [/THRUM_INGEST/, /THRUM_PERIOD_MS/, /soon/]],
      ingest: [{ THRUM_PORT: '99999', THRUM_STORE: 'paper' }, [/THRUM_PORT/, /99999/, /THRUM_STORE/, /paper/]],
      web: [{ THRUM_PORT: 'x', THRUM_MESH_KEY: 'short' }, [/THRUM_PORT/, /THRUM_MESH_KEY/]],
    };
    const [settings, named] = wrong[role];
    const { code, stderr } = await run(t, role, { ...good(role, directoryFor(t)), ...settings });
    assert.notEqual(code, 0);
    for (const pattern of named) assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /^\s+at /m, 'no stack trace');
    assert.ok(!stderr.includes('short'), 'a secret is not repeated');
  });

  test(`${role}: an option nobody knows is named`, async (t) => {
    const { code, stderr } = await run(t, role, good(role, directoryFor(t)), { args: ['--no-such-thing', '1'] });
    assert.notEqual(code, 0);
    assert.match(stderr, /--no-such-thing/);
  });

  const portSetting = { agent: 'THRUM_METRICS_PORT', ingest: 'THRUM_PORT', web: 'THRUM_PORT' }[role];
  test(`${role}: a port in use is named`, async (t) => {
    const taken = createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    t.after(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await run(t, role, { ...good(role, directoryFor(t)), [portSetting]: String(port) });
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`\\b${port}\\b`));
    assert.match(stderr, /in use/);
    assert.doesNotMatch(stderr, /^\s+at /m, 'no stack trace');
  });
}

for (const role of ['agent', 'ingest', 'web'] as const)
  test(
    `${role}: a data directory without permission is named`,
    { skip: process.getuid?.() !== 0 && 'needs root to become somebody else' },
    async (t) => {
      const directory = directoryFor(t);
      const nobody = 65_534;
      chmodSync(directory, 0o755); // belongs to root: others may look, not write
      const { code, stderr } = await run(t, role, good(role, directory), { uid: nobody });
      assert.notEqual(code, 0);
      assert.ok(stderr.includes(directory), stderr);
      assert.match(stderr, /permission|write/i);
      assert.doesNotMatch(stderr, /^\s+at /m, 'no stack trace');
    },
  );
