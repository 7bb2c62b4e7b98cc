/**
 * Real parts that tests run against and that do not come with `npm ci`: how to see whether one is there, and which Debian packages
 * bring it. A part that an environment variable names (a browser, an Elasticsearch) counts as there.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fakeClockLibrary } from '../local/fake-clock-library.ts';

export type PartName =
  'chromium' | 'elasticsearch' | 'haproxy' | 'libfaketime' | 'namespaces' | 'node_exporter' | 'strace';

export type Part = {
  readonly name: PartName;
  /** Debian packages that are missing for it; empty when the part is there. */
  missing(env: NodeJS.ProcessEnv): readonly string[];
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Also where the PATH of an ordinary user does not look. */
const onPath = (program: string, env: NodeJS.ProcessEnv): boolean =>
  [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
    .filter((folder) => folder !== '')
    .some((folder) => isExecutable(join(folder, program)));

const bring = (
  env: NodeJS.ProcessEnv,
  table: readonly (readonly [programs: readonly string[], debian: string])[],
): string[] =>
  table.filter(([programs]) => !programs.some((program) => onPath(program, env))).map(([, debian]) => debian);

export const parts: readonly Part[] = [
  {
    name: 'chromium',
    missing: (env) => {
      const named = env['THRUM_CHROMIUM'];
      if (named !== undefined && named !== '') return existsSync(named) ? [] : ['chromium'];
      return bring(env, [[['chromium', 'chromium-browser', 'google-chrome'], 'chromium']]);
    },
  },
  {
    name: 'elasticsearch',
    missing: (env) =>
      [env['THRUM_TEST_ELASTICSEARCH'], env['ELASTICSEARCH_URL']].some((url) => url !== undefined && url !== '')
        ? []
        : bring(env, [
            [['javac'], 'default-jdk-headless'],
            [['mvn'], 'maven'],
            [['pip3', 'pip'], 'python3-pip'],
          ]),
  },
  { name: 'haproxy', missing: (env) => bring(env, [[['haproxy'], 'haproxy']]) },
  {
    // Clocks of single programs that tests set. Linux only; elsewhere clocks are left alone.
    name: 'libfaketime',
    missing: () => (process.platform !== 'linux' || fakeClockLibrary() !== undefined ? [] : ['libfaketime']),
  },
  {
    // Hosts of their own for the nodes of a mesh. Linux only, and as root, which no package brings: the tests say so themselves.
    name: 'namespaces',
    missing: (env) =>
      bring(env, [
        [['ip'], 'iproute2'],
        [['nft'], 'nftables'],
        [['nsenter'], 'util-linux'],
      ]),
  },
  {
    name: 'node_exporter',
    missing: (env) => bring(env, [[['prometheus-node-exporter', 'node_exporter'], 'prometheus-node-exporter']]),
  },
  // Kills a program at the n-th call of its, or makes that call fail. Linux only.
  { name: 'strace', missing: (env) => bring(env, [[['strace'], 'strace']]) },
];

export const partNamed = (name: PartName): Part => {
  const part = parts.find((one) => one.name === name);
  if (!part) throw new Error(`BUG: no part is called ${name}`);
  return part;
};
