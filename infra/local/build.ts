/**
 * Builds what has to be built before it can run (the page) or be shipped (the agent as one file), and only when its sources changed.
 * Two processes that want the same thing at once build it once: the second waits for the first.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { takeLock } from './file-lock.ts';
import { stampIn, stampOf, writeStamp } from './stamp.ts';

export const repository = join(import.meta.dirname, '..', '..');

export type Buildable = {
  readonly name: string;
  /** Folder of the package; the tool runs there. */
  readonly folder: string;
  readonly output: string;
  readonly sources: readonly string[];
  readonly tool: string;
  readonly args: readonly string[];
};

const everyBuild = ['package-lock.json', 'actors/src/wire/**/*'];

export const page: Buildable = {
  name: 'page',
  folder: 'web',
  output: 'web/build',
  sources: [...everyBuild, 'web/{src,static}/**/*', 'web/*.{ts,js,json}'],
  tool: 'vite',
  args: ['build'],
};

export const agentBundle: Buildable = {
  name: 'agent bundle',
  folder: 'agent',
  output: 'agent/dist',
  sources: [...everyBuild, 'agent/{src,dist-src}/**/*', 'agent/*.{ts,js,json}', 'actors/src/system/**/*'],
  tool: 'rolldown',
  args: ['-c', 'rolldown.config.ts'],
};

export type BuildOutcome =
  { readonly ok: true; readonly built: boolean } | { readonly ok: false; readonly message: string };

const waitForOtherMs = 180_000;

/** Builds if needed; `say` is told once when it is. */
export const ensureBuilt = async (what: Buildable, say: (line: string) => void): Promise<BuildOutcome> => {
  const output = join(repository, what.output);
  const fresh = (): boolean => stampIn(output) === stampOf(repository, what.sources);
  if (fresh()) return { ok: true, built: false };

  const locks = join(repository, 'node_modules', '.cache', 'thrum');
  mkdirSync(locks, { recursive: true });
  const lockFile = join(locks, `build-${what.folder}.lock`);
  let lock = takeLock(lockFile);
  for (const began = performance.now(); !lock.ok; lock = takeLock(lockFile)) {
    if (performance.now() - began > waitForOtherMs)
      return {
        ok: false,
        message: `Process ${lock.holder.pid} has been building the ${what.name} for too long. End it and try again.`,
      };
    await new Promise((next) => setTimeout(next, 100));
  }
  try {
    if (fresh()) return { ok: true, built: false };
    say(`Building the ${what.name} (its sources changed) ...`);
    const stamp = stampOf(repository, what.sources);
    const { code, text } = await runTool(what);
    if (code !== 0) return { ok: false, message: `The ${what.name} could not be built (exit code ${code}):\n${text}` };
    writeStamp(output, stamp);
    return { ok: true, built: true };
  } finally {
    lock.release();
  }
};

/** Runs the tool's own program with this very Node, whatever Node the machine has. */
const runTool = (what: Buildable): Promise<{ code: number; text: string }> => {
  const cwd = join(repository, what.folder);
  const manifest = createRequire(join(cwd, 'package.json')).resolve(`${what.tool}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: string | Record<string, string> };
  const program = typeof bin === 'string' ? bin : (bin[what.tool] ?? '');
  const child = spawn(process.execPath, [join(dirname(manifest), program), ...what.args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const take = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-8000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, text: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, text }));
  });
};
