/**
 * Brings the real parts that tests need, before they run: as root on Debian with apt, saying so; elsewhere, or with THRUM_NO_SETUP=1,
 * it only says what is missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { partNamed, type PartName } from './parts.ts';

export type SetUp = {
  /** Parts that are still not there, each with what would bring it. */
  readonly missing: ReadonlyMap<PartName, readonly string[]>;
};

const lookFor = (wanted: readonly PartName[], env: NodeJS.ProcessEnv): Map<PartName, readonly string[]> =>
  new Map(
    wanted.map((name) => [name, partNamed(name).missing(env)] as const).filter(([, packages]) => packages.length > 0),
  );

const mayInstall = (env: NodeJS.ProcessEnv): boolean =>
  env['THRUM_NO_SETUP'] !== '1' && process.getuid?.() === 0 && existsSync('/etc/debian_version');

export const setUp = (wanted: readonly PartName[], env: NodeJS.ProcessEnv, say: (line: string) => void): SetUp => {
  const missing = lookFor(wanted, env);
  if (missing.size === 0 || !mayInstall(env)) return { missing };
  const packages = [...new Set([...missing.values()].flat())].sort();
  say(
    `Installing ${packages.join(', ')} with apt for ${[...missing.keys()].join(', ')} (THRUM_NO_SETUP=1 leaves this out) ...`,
  );
  const apt = (...args: string[]): boolean => {
    const { status, stderr } = spawnSync('apt-get', ['-q', '-y', ...args], {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status !== 0) say(`apt-get ${args[0] ?? ''} failed: ${stderr.trim().split('\n').slice(-3).join(' ')}`);
    return status === 0;
  };
  if (apt('update')) apt('install', '--no-install-recommends', ...packages);
  return { missing: lookFor(wanted, env) };
};
