/** For tests: the agent's program as a process of its own, on a disk of its own if need be. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '@thrum/actors/testing/eventually';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';

const program = fileURLToPath(new URL('main.ts', import.meta.url));

export type Run = { child: ChildProcess; out: () => string; err: () => string; exit: Promise<number | null> };

export const run = (t: TestContext, settings: Record<string, string>, ...args: string[]): Run => {
  const child = spawn(process.execPath, [program, ...args], { env: settings, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  t.after(() => child.kill('SIGKILL'));
  return { child, out: () => out, err: () => err, exit: new Promise((resolve) => child.on('close', resolve)) };
};

export const freePort = async (): Promise<{ port: number; close: () => void }> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
};

export const settingsFor = (t: TestContext): Record<string, string> => ({
  THRUM_TOKEN: 'a token nobody prints',
  THRUM_DATA: join(temporaryDirectory(t), 'data'),
  THRUM_INGEST: 'http://127.0.0.1:9',
  THRUM_METRICS_PORT: '0',
  THRUM_PERIOD_MS: '100',
});

/** An agent that has said that it is ready, and its page of figures. */
export const runningAgent = async (t: TestContext, settings: Record<string, string>) => {
  const held = await freePort();
  held.close();
  const agent = run(t, { ...settings, THRUM_METRICS_PORT: String(held.port) });
  await eventually(() => agent.out().includes('"ready":"agent"'), { withinMs: 30_000 });
  const page = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${held.port}${path}`)).text();
  return {
    ...agent,
    health: () => page('/healthz'),
    figure: async (name: string): Promise<number> =>
      Number(new RegExp(`^thrum_agent_${name} (.+)$`, 'm').exec(await page('/metrics'))?.[1]),
    kill: async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
      agent.child.kill(signal);
      return agent.exit;
    },
  };
};

/** A file system of this size, or undefined after the test was skipped with the reason: only root may mount one. */
export const smallDisk = (t: TestContext, kib: number): string | undefined => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-small-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', directory], { encoding: 'utf8' });
  // One after the other: a directory that is mounted on cannot be removed.
  t.after(() => {
    spawnSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true });
  });
  if (mounted.status === 0) return directory;
  t.skip(`no file system can be mounted here: ${mounted.error?.message ?? mounted.stderr.trim()}`);
  return undefined;
};
