/** Nodes of one mesh as real processes, each on a host of its own (`namespaces.ts`), and what each of them says. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MeshNodeCommand, MeshNodeEvent, MeshNodeOptions } from '@thrum/actors/testing/mesh-node';
import { openNamespaces } from './namespaces.ts';
import type { Namespaces } from './namespaces.ts';

export type RealNode = {
  readonly id: string;
  readonly host: number;
  /** All it said since its process started. */
  readonly events: readonly MeshNodeEvent[];
  signal(name: NodeJS.Signals): void;
  command(command: MeshNodeCommand): void;
  readonly ended: Promise<void>;
  hasEnded(): boolean;
};

export type RealMesh = {
  readonly network: Namespaces;
  /** By host; a node that was started again stands in the place of its former self. */
  readonly nodes: readonly RealNode[];
  start(host: number): RealNode;
  /** All others but these. */
  others(...but: readonly number[]): RealNode[];
  close(): Promise<void>;
};

const program = fileURLToPath(import.meta.resolve('@thrum/actors/testing/mesh-node'));
const port = 7072;
/** The first ones; the others are web nodes, which keep sessions. */
const ingestNodes = 2;
/** Of one node: beyond any test. */
const maxEvents = 100_000;

const startNode = (network: Namespaces, host: number, seeds: readonly string[]): RealNode & { child: ChildProcess } => {
  const id = `n${host}`;
  const role = host < ingestNodes ? 'ingest' : 'web';
  const options: MeshNodeOptions = { id, role, bind: network.addressOf(host), port, seeds };
  const [nsenter, ...args] = network.on(host, [process.execPath, program, JSON.stringify(options)]);
  const child = spawn(nsenter, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const events: MeshNodeEvent[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (events.length < maxEvents) events.push(JSON.parse(line) as MeshNodeEvent);
  });
  child.stdin.on('error', () => undefined);
  return {
    ...{ id, host, events, child },
    signal: (name) => void child.kill(name),
    command: (command) => void child.stdin.write(`${JSON.stringify(command)}\n`),
    ended: new Promise((resolve) => void child.once('exit', () => resolve())),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
  };
};

export const openMesh = (hosts: number): RealMesh => {
  const network = openNamespaces(hosts);
  const seeds = [0, 1].map((host) => `${network.addressOf(host)}:${port}`);
  const nodes: RealNode[] = [];
  const all: (RealNode & { child: ChildProcess })[] = [];
  const start = (host: number): RealNode => {
    const node = startNode(network, host, seeds);
    nodes[host] = node;
    all.push(node);
    return node;
  };
  for (let host = 0; host < hosts; host += 1) start(host);
  return {
    ...{ network, nodes, start },
    others: (...but) => nodes.filter((node) => !but.includes(node.host)),
    close: async () => {
      const living = all.filter((node) => !node.hasEnded());
      for (const { child } of living) child.kill('SIGKILL');
      await Promise.all(living.map(({ ended }) => ended));
      network.close();
    },
  };
};
