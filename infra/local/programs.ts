/**
 * How each of our programs is started: the entry points of production, with settings in the environment (a command line is readable by
 * everybody on the machine, so no secret stands there). Settings of the launcher itself are not handed on.
 */
import { join } from 'node:path';
import { repository } from './build.ts';
import type { Program } from './process.ts';

export type RoleName = 'ingest' | 'web' | 'agent';

const entryPoints: Readonly<Record<RoleName, string>> = {
  ingest: join(repository, 'ingest', 'src', 'main.ts'),
  web: join(repository, 'web', 'server.ts'),
  agent: join(repository, 'agent', 'src', 'main.ts'),
};

/**
 * Measured with 1,000 agents that send 700 values each: with Node's own choice the heap of an ingest node takes 190 MiB for 55 MiB in use, with this
 * one 75, at the same processor time. Raising it spares collections under a load of many large batches, and costs up to three times as much memory.
 */
const nodeOptions: Readonly<Record<RoleName, readonly string[]>> = {
  ingest: ['--max-semi-space-size=8'],
  web: [],
  agent: [],
};

/** What the launcher decides for each program; anything else that is set for it (such as THRUM_RETENTION_DAYS) is handed on. */
const decidedHere = [
  'THRUM_BIND',
  'THRUM_DATA',
  'THRUM_ELASTICSEARCH',
  'THRUM_INGEST',
  'THRUM_INGEST_BIND',
  'THRUM_INGEST_PORT',
  'THRUM_MESH_KEY',
  'THRUM_MESH_PORT',
  'THRUM_MESH_SEEDS',
  'THRUM_METRICS_PORT',
  'THRUM_NODE_NAME',
  'THRUM_PORT',
  'THRUM_SETUP_TOKEN',
  'THRUM_STORE',
  'THRUM_TOKEN',
];

/** The store and its passwords are the ingest nodes' alone. */
const isForIngestOnly = (key: string): boolean => key.startsWith('THRUM_STORE');

export type Settings = Readonly<Record<string, string>>;

export const programOf = (role: RoleName, name: string, settings: Settings, inherited: NodeJS.ProcessEnv): Program => ({
  name,
  command: process.execPath,
  args: [...nodeOptions[role], entryPoints[role]],
  cwd: repository,
  env: {
    // Node keeps what it made of the sources: measured on two busy cores, the second start is ready after 2.0 s instead of 4 to 5.
    NODE_COMPILE_CACHE: join(repository, 'node_modules', '.cache', 'thrum', 'compiled'),
    ...Object.fromEntries(
      Object.entries(inherited).filter(
        ([key]) => !decidedHere.includes(key) && (role === 'ingest' || !isForIngestOnly(key)),
      ),
    ),
    ...settings,
  },
});
