/**
 * A whole mesh on one machine: ingest nodes, web nodes, HAProxy in front of both kinds, and agents that each play a host of their own.
 * The same programs as in production; only ports and directories are chosen here. `npm run mesh` and the end-to-end tests use it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@thrum/actors/system/clock';
import { haproxyTemplate, renderHaproxy } from '../haproxy/haproxy.ts';
import { freePort, portOr } from './ports.ts';
import type { Program } from './process.ts';
import { programOf, type Settings } from './programs.ts';
import { startRole, type Role, type RoleEvent } from './role.ts';
import { keepSecret } from './secrets.ts';
import { listenForSetUp, makeSetUpToken, type SetUpWord } from './set-up-link.ts';

export type MeshOptions = {
  /** Everything the mesh keeps lies in here. */
  readonly directory: string;
  /** As ingest takes it: `elasticsearch:URL`, or `duckdb:PATH` where there is one ingest node. */
  readonly store: string;
  readonly ingest?: number;
  readonly web?: number;
  readonly agents?: number;
  /** Ports of the balancer; 0 (the default) for free ones. */
  readonly dashboardPort?: number;
  readonly agentsPort?: number;
  /** `false`: no HAProxy; agents and browsers are given the first node of each kind. */
  readonly balancer?: boolean;
  /** Further settings by kind of program, such as `{ ingest: { THRUM_STORE_PREFIX: 'e2e' } }`. */
  readonly settings?: { readonly ingest?: Settings; readonly web?: Settings; readonly agent?: Settings };
  /** And by name of one program (`ingest-1`): they go before all others. */
  readonly settingsOf?: (name: string) => Settings;
  readonly restart?: 'always' | 'never';
  readonly inherited?: NodeJS.ProcessEnv;
  readonly onEvent?: (name: string, event: RoleEvent) => void;
  /** Gives up the start: what runs already is stopped. */
  readonly abort?: AbortSignal;
};

export type MeshProcess = Role & {
  readonly kind: 'ingest' | 'web' | 'balancer' | 'agent';
  /** Where its HTTP server answers (an agent's own /metrics; of the balancer, the dashboard). */
  readonly url: string;
};

export type Mesh = {
  readonly dashboardUrl: string;
  readonly agentsUrl: string;
  readonly token: string;
  readonly tokenFile: string;
  /** Of the one-time link, and whether it is needed. */
  readonly setUpToken: string;
  readonly setUp: SetUpWord;
  readonly ingest: readonly MeshProcess[];
  readonly web: readonly MeshProcess[];
  readonly agents: readonly MeshProcess[];
  readonly balancer: MeshProcess | undefined;
  processes(): readonly MeshProcess[];
  /** Agents first, then the balancer, then the nodes. Nothing of the mesh runs afterwards. */
  stop(): Promise<void>;
};

const local = '127.0.0.1';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const addressOf = (port: number): string => `${local}:${port}`;

/** Resolves when every program is ready; otherwise ends all of them and throws what was wrong. */
export const startMesh = async (options: MeshOptions): Promise<Mesh> => {
  const { directory, store, restart = 'never', onEvent } = options;
  const inherited = { THRUM_LOG_LEVEL: 'warn', ...(options.inherited ?? process.env) };
  const file = (...names: string[]): string => join(directory, ...names);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const tokenFile = file('token');
  const token = keepSecret(tokenFile);
  keepSecret(file('mesh-key'));
  const setUpToken = makeSetUpToken();
  const setUp = listenForSetUp();

  const plan = async (kind: 'ingest' | 'web', count: number) =>
    Promise.all(
      numbers(count).map(async (n) => ({ name: `${kind}-${n}`, port: await freePort(), meshPort: await freePort() })),
    );
  const ingestNodes = await plan('ingest', options.ingest ?? 2);
  const webNodes = await plan('web', options.web ?? 2);
  const balanced = options.balancer ?? true;
  const dashboardPort = balanced ? await portOr(options.dashboardPort ?? 0) : (webNodes[0]?.port ?? 0);
  const agentsPort = balanced ? await portOr(options.agentsPort ?? 0) : (ingestNodes[0]?.port ?? 0);
  const dashboardUrl = `http://localhost:${dashboardPort}`;
  const agentsUrl = `http://${addressOf(agentsPort)}`;

  const node = ({ name, port, meshPort }: { name: string; port: number; meshPort: number }): Settings => ({
    THRUM_BIND: local,
    THRUM_NODE_NAME: name,
    THRUM_PORT: String(port),
    THRUM_MESH_PORT: String(meshPort),
    THRUM_MESH_SEEDS: [...ingestNodes, ...webNodes]
      .filter((other) => other.meshPort !== meshPort)
      .map((other) => addressOf(other.meshPort))
      .join(','),
    THRUM_MESH_KEY: `@${file('mesh-key')}`,
  });
  const all: MeshProcess[] = [];
  const begin = (kind: MeshProcess['kind'], url: string, program: Program): MeshProcess => {
    options.abort?.throwIfAborted();
    const role = startRole({
      program,
      restart,
      clock: systemClock,
      onEvent: (event) => {
        if (kind === 'web' && event.kind === 'output' && event.output.from === 'stdout') setUp.hear(event.output.line);
        onEvent?.(program.name, event);
      },
    });
    const process: MeshProcess = {
      ...role,
      kind,
      url,
      get pid() {
        return role.pid; // changes with every restart
      },
    };
    all.push(process);
    return process;
  };
  const ready = (group: readonly MeshProcess[]) => Promise.all(group.map((one) => one.ready()));
  const stop = async (): Promise<void> => {
    for (const kinds of [['agent'], ['balancer'], ['ingest', 'web']])
      await Promise.all(all.filter((one) => kinds.includes(one.kind)).map((one) => one.stop()));
  };

  options.abort?.addEventListener('abort', () => void stop(), { once: true });

  try {
    const ingest = ingestNodes.map((one) => {
      mkdirSync(file(one.name), { recursive: true, mode: 0o700 });
      const own = { THRUM_TOKEN: `@${tokenFile}`, THRUM_STORE: store, THRUM_STORE_REPLICAS: '0' };
      const settings = { ...node(one), ...own, ...options.settings?.ingest, ...options.settingsOf?.(one.name) };
      return begin('ingest', `http://${addressOf(one.port)}`, programOf('ingest', one.name, settings, inherited));
    });
    const web = webNodes.map((one) => {
      const origins = [dashboardUrl, `http://${addressOf(dashboardPort)}`].join(',');
      const own = { THRUM_ORIGINS: origins, THRUM_DATA: file(one.name), THRUM_SETUP_TOKEN: setUpToken };
      mkdirSync(file(one.name), { recursive: true, mode: 0o700 });
      const settings = { ...node(one), ...own, ...options.settings?.web, ...options.settingsOf?.(one.name) };
      return begin('web', `http://localhost:${one.port}`, programOf('web', one.name, settings, inherited));
    });
    await ready([...ingest, ...web]);

    let balancer: MeshProcess | undefined;
    if (balanced) {
      const config = renderHaproxy(haproxyTemplate(), {
        agents: addressOf(agentsPort),
        dashboard: addressOf(dashboardPort),
        ingest: ingestNodes.map(({ name, port }) => ({ name, address: addressOf(port) })),
        web: webNodes.map(({ name, port }) => ({ name, address: addressOf(port) })),
        statsSocket: 'haproxy.sock', // in the working directory: the path of a Unix socket must be short
      });
      writeFileSync(file('haproxy.cfg'), config, { mode: 0o600 });
      balancer = begin('balancer', dashboardUrl, {
        name: 'haproxy',
        command: 'haproxy',
        args: ['-db', '-f', 'haproxy.cfg'],
        cwd: directory,
        env: Object.fromEntries(Object.entries(inherited).filter(([key]) => !key.startsWith('THRUM_'))),
        isReady: () => accepts(agentsPort),
      });
      await balancer.ready();
    }

    const agents = await Promise.all(
      numbers(options.agents ?? 3).map(async (n) => {
        const name = `agent-${n}`;
        mkdirSync(file(name), { recursive: true, mode: 0o700 });
        const metricsPort = await freePort();
        const settings: Settings = {
          THRUM_BIND: local,
          THRUM_INGEST: agentsUrl,
          THRUM_TOKEN: `@${tokenFile}`,
          THRUM_DATA: file(name),
          THRUM_HOST_NAME: `host-${n}`,
          THRUM_METRICS_PORT: String(metricsPort),
          ...options.settings?.agent,
          ...options.settingsOf?.(name),
        };
        return begin('agent', `http://${addressOf(metricsPort)}`, programOf('agent', name, settings, inherited));
      }),
    );
    await ready(agents);
    return {
      dashboardUrl,
      agentsUrl,
      token,
      tokenFile,
      setUpToken,
      setUp,
      ingest,
      web,
      agents,
      balancer,
      processes: () => all,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: local });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Which program runs where, as lines for a person. */
export const meshTable = (mesh: Mesh): string => {
  const rows = mesh.processes().map((one) => [one.name, String(one.pid), one.url] as const);
  const wide = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  return rows.map(([name, pid, url]) => `  ${name.padEnd(wide(0))}  pid ${pid.padEnd(wide(1))}  ${url}`).join('\n');
};
