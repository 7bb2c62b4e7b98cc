/**
 * What runs when everything runs on one machine: one ingest node on the embedded store, one web node, one agent. Pure: from places,
 * ports and secrets' files to the programs and to what a person is told.
 */
import { withoutPasswords } from '@thrum/actors/system/without-passwords';
import type { Program } from './process.ts';
import { programOf } from './programs.ts';
import { dashboardLines, type SetUpNeed } from './set-up-link.ts';

export type OneMachine = {
  /** Absolute path of a file of the installation. */
  readonly file: (...names: string[]) => string;
  readonly ports: {
    readonly dashboard: number;
    readonly ingest: number;
    readonly ingestMesh: number;
    readonly webMesh: number;
    readonly agentMetrics: number;
  };
  readonly ingestBind: string;
  /** As ingest takes it; the embedded one in the data directory when not given. */
  readonly store: string | undefined;
  readonly setUpToken: string;
  readonly inherited: NodeJS.ProcessEnv;
};

export const tokenFile = (one: OneMachine): string => one.file('token');
export const meshKeyFile = (one: OneMachine): string => one.file('mesh-key');
const storeOf = (one: OneMachine): string => one.store ?? `duckdb:${one.file('ingest', 'thrum.duckdb')}`;

export const programsOf = (one: OneMachine): { ingest: Program; web: Program; agent: Program } => {
  const { ports } = one;
  const inherited = { THRUM_LOG_LEVEL: 'warn', ...one.inherited };
  const local = '127.0.0.1';
  const meshKey = `@${meshKeyFile(one)}`;
  return {
    ingest: programOf(
      'ingest',
      'ingest',
      {
        THRUM_BIND: one.ingestBind,
        THRUM_PORT: String(ports.ingest),
        THRUM_MESH_PORT: String(ports.ingestMesh),
        THRUM_MESH_SEEDS: `${local}:${ports.webMesh}`,
        THRUM_MESH_KEY: meshKey,
        THRUM_TOKEN: `@${tokenFile(one)}`,
        THRUM_STORE: storeOf(one),
      },
      inherited,
    ),
    web: programOf(
      'web',
      'web',
      {
        THRUM_BIND: local,
        THRUM_PORT: String(ports.dashboard),
        THRUM_MESH_PORT: String(ports.webMesh),
        THRUM_MESH_SEEDS: `${local}:${ports.ingestMesh}`,
        THRUM_MESH_KEY: meshKey,
        THRUM_DATA: one.file('web'),
        THRUM_SETUP_TOKEN: one.setUpToken,
      },
      inherited,
    ),
    agent: programOf(
      'agent',
      'agent',
      {
        THRUM_BIND: local,
        THRUM_INGEST: `http://${local}:${ports.ingest}`,
        THRUM_TOKEN: `@${tokenFile(one)}`,
        THRUM_DATA: one.file('agent'),
        THRUM_METRICS_PORT: String(ports.agentMetrics),
      },
      inherited,
    ),
  };
};

export const dashboardUrlOf = (one: OneMachine): string => `http://localhost:${one.ports.dashboard}`;

/** What is printed once the dashboard can be opened. Names the file of the agents' token, never that token. */
export const greeting = (one: OneMachine, tookMs: number, need: SetUpNeed | undefined): string => {
  const onlyHere = one.ingestBind === '127.0.0.1' || one.ingestBind === '::1' || one.ingestBind === 'localhost';
  return [
    '',
    `  Thrum is up (${(tookMs / 1000).toFixed(1)} s).`,
    '',
    ...dashboardLines(dashboardUrlOf(one), one.setUpToken, need),
    `  Data           ${one.file()}`,
    `  Store          ${withoutPasswords(storeOf(one))}`,
    `  Another host   ${onlyHere ? 'start this with `npm start -- --ingest-bind 0.0.0.0`, then copy' : 'copy'} ${tokenFile(one)}`,
    `                 there and run, in a clone of this repository after \`npm ci\`:`,
    `                 THRUM_INGEST=http://THIS-MACHINE:${one.ports.ingest} THRUM_TOKEN=@/PATH/TO/token THRUM_DATA=$HOME/.thrum-agent npm start -w agent`,
    `  Stop           Ctrl-C`,
    '',
  ].join('\n');
};
