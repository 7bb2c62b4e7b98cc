/** The suites: which files, run how, and which real parts they need. Adding one is one entry here. */
import { globSync } from 'node:fs';
import { sep } from 'node:path';
import type { PartName } from './parts.ts';

export type Group = {
  readonly files: readonly string[];
  readonly execArgv: readonly string[];
  readonly atOnce: number;
};
export type Suite = {
  readonly name: string;
  readonly groups: (root: string) => readonly Group[];
  /** Without one of these the suite cannot run at all. */
  readonly needs: readonly PartName[];
  /** Single tests look for these and skip themselves. */
  readonly likes: readonly PartName[];
  /** For one file. Generous: it is for hangs, not for slow machines. */
  readonly limitMs: number;
};

const generated = new Set(['node_modules', 'build', 'dist', '.svelte-kit', '.thrum']);

const find = (root: string, pattern: string, without = /^$/): string[] =>
  globSync(pattern, { cwd: root })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => !file.split('/').some((part) => generated.has(part)) && !without.test(file))
    .sort();

const plain = (files: readonly string[], atOnce: number): Group => ({ files, execArgv: [], atOnce });
const onServer = /^web\/(src\/lib\/server\/|[^/]+$)/;

/** End to end, these say within how many seconds something must be seen: they have the machine to themselves. The others mostly wait, two at once. */
const hasDeadlines = /-killed|signs-of-life|everywhere/;
/** Begun first, so that no lane ends long after the other. */
const isLong = /store-stopped|accessibility|nothing-lost/;

export const suites: readonly Suite[] = [
  {
    name: 'unit',
    groups: (root) => [
      plain(find(root, '{actors,agent,ingest,infra,e2e,.ci}/**/*.test.ts', /\.(es|sim)\.test\.ts$/), 2),
    ],
    needs: [],
    likes: ['haproxy', 'strace'],
    limitMs: 120_000,
  },
  {
    name: 'web',
    groups: (root) => [
      plain(
        find(root, 'web/**/*.test.ts').filter((file) => onServer.test(file)),
        2,
      ),
      {
        files: find(root, 'web/**/*.test.ts', onServer),
        execArgv: ['--conditions=browser', '--import=./infra/test/svelte-hook.ts'],
        atOnce: 2,
      },
    ],
    needs: [],
    likes: [],
    limitMs: 120_000,
  },
  {
    // Whole meshes in virtual time, a thousand of them, and delivery from end to end, thousands; each file uses two processes of its own.
    name: 'simulation',
    groups: (root) => [plain(find(root, '{actors,e2e}/**/*.sim.test.ts'), 1)],
    needs: [],
    likes: [],
    limitMs: 900_000,
  },
  {
    name: 'store',
    groups: (root) => [plain(find(root, '{actors,agent,ingest,infra}/**/*.es.test.ts'), 1)],
    needs: ['elasticsearch'],
    likes: [],
    limitMs: 300_000,
  },
  {
    name: 'nodes',
    groups: (root) => [plain(find(root, 'e2e/failures/nodes-*.spec.ts'), 2)],
    needs: ['namespaces'],
    likes: [],
    limitMs: 300_000,
  },
  {
    name: 'e2e',
    groups: (root) => {
      const files = find(root, 'e2e/{journeys,failures}/**/*.spec.ts', /\/nodes-/);
      const patient = files.filter((file) => !hasDeadlines.test(file));
      return [
        plain([...patient.filter((file) => isLong.test(file)), ...patient.filter((file) => !isLong.test(file))], 2),
        plain(
          files.filter((file) => hasDeadlines.test(file)),
          1,
        ),
      ];
    },
    needs: ['elasticsearch', 'chromium', 'haproxy'],
    likes: ['libfaketime'],
    limitMs: 300_000,
  },
];
