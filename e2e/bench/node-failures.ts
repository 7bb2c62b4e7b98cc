/**
 * How long it takes until every other node knows that one is gone, and whether anybody is ever taken for dead who lives: five real processes, each on
 * a host of its own (Linux, root). THRUM_BENCH_KILLS and THRUM_BENCH_STOPS say how many nodes die and stand still, THRUM_BENCH_SECONDS how long
 * 20 % of all packets are lost.
 */
import { membersOf, goneAtMs, gonesOf, isWhole } from '../namespaces/sightings.ts';
import { openMesh } from '../namespaces/mesh-in-namespaces.ts';
import type { RealMesh, RealNode } from '../namespaces/mesh-in-namespaces.ts';
import { noNamespaces } from '../namespaces/namespaces.ts';
import { printFigure, quantile } from './figure.ts';

const hosts = 5;
const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const until = async (isSo: () => boolean, what: string, withinMs = 60_000): Promise<void> => {
  const startedMs = performance.now();
  while (!isSo()) {
    if (performance.now() - startedMs > withinMs) throw new Error(`not so within ${withinMs} ms: ${what}`);
    await pause(5);
  }
};
/** Everybody has it, and it has everybody: all of them will see it go. */
const isKnown = (mesh: RealMesh, node: RealNode): boolean =>
  mesh.others(node.host).every((other) => membersOf(other).has(node.id) && membersOf(node).has(other.id));

type Way = 'SIGKILL' | 'SIGSTOP' | 'leave';

/** One node after the other goes; of each, when each of the others knew. */
const endings = async (mesh: RealMesh, way: Way, count: number): Promise<number[]> => {
  const took: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const victim = mesh.nodes[at % hosts];
    if (!victim) continue;
    await until(() => isKnown(mesh, victim), `${victim.id} is a member for all`);
    const sinceMs = Date.now();
    if (way === 'leave') victim.command({ do: 'leave' });
    else victim.signal(way);
    const others = mesh.others(victim.host);
    await until(
      () => others.every((other) => goneAtMs(other, victim.id, sinceMs) !== undefined),
      `${victim.id} is gone`,
    );
    took.push(...others.map((other) => (goneAtMs(other, victim.id, sinceMs) ?? Number.NaN) - sinceMs));
    if (way === 'SIGSTOP') victim.signal('SIGCONT');
    else {
      await victim.ended;
      mesh.start(victim.host);
    }
  }
  await until(() => isWhole(mesh), 'all are members of all');
  return took;
};

const print = (name: string, took: readonly number[], limitMs: number): void => {
  for (const [quantileName, part] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['max', 1],
  ] as const) {
    const value = quantile(took, part);
    printFigure({
      ...{ name: `node-failures/${name}/${quantileName}`, value, unit: 'ms', peer: limitMs, peerIs: 'the limit' },
      ...{ ratio: value / limitMs, wanted: `≤ ${limitMs}`, holds: value <= limitMs },
    });
  }
};

const lossy = async (mesh: RealMesh, seconds: number): Promise<void> => {
  const before = mesh.nodes.map((node) => gonesOf(node).length);
  mesh.network.lose(20);
  await pause(seconds * 1000);
  const falseDeaths = mesh.nodes.reduce((sum, node, at) => sum + gonesOf(node).length - (before[at] ?? 0), 0);
  mesh.network.heal();
  printFigure({
    ...{ name: 'node-failures/false-deaths-at-20-percent-loss', value: falseDeaths, unit: `in ${seconds} s` },
    ...{ peer: 0, peerIs: 'the limit', wanted: '0', holds: falseDeaths === 0 },
  });
};

export const nodeFailures = async (): Promise<void> => {
  const why = noNamespaces();
  if (why !== undefined) throw new Error(why);
  const mesh = openMesh(hosts);
  try {
    await until(() => isWhole(mesh), 'all are members of all');
    const kills = setting('THRUM_BENCH_KILLS', 200);
    print(`killed-${kills}-times`, await endings(mesh, 'SIGKILL', kills), 1000);
    const stops = setting('THRUM_BENCH_STOPS', 20);
    print(`stopped-${stops}-times`, await endings(mesh, 'SIGSTOP', stops), 6000);
    print('left', await endings(mesh, 'leave', 20), 200);
    await lossy(mesh, setting('THRUM_BENCH_SECONDS', 600));
  } finally {
    await mesh.close();
  }
};
