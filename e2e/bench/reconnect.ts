/**
 * A whole fleet comes back at once: 5,000 agents behind the balancer on two ingest nodes; both are killed and started again. Told are the time
 * until every agent was welcomed again, the longest time either node's event loop was held up meanwhile, and what a return cost.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@thrum/actors/system/clock';
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { startFleet } from '../../infra/load/fleet.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { printFigure } from './figure.ts';
import { figuresOf } from './node-figures.ts';
import { costOf } from './process-cost.ts';

const agents = Number(process.env['THRUM_BENCH_AGENTS'] ?? 5000);
/** So many batches a second of all of them together, while they are there. */
const batchesPerSecond = Number(process.env['THRUM_BENCH_RATE'] ?? 100);
const targets = 7;
const values = 10;
const settleMs = 10_000;
const limitMs = 60_000;
const stallLimitMs = 200;

export const reconnect = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const catalogue = join(directory, 'catalogue.json');
  writeCatalogue(catalogue, targets, values);
  const elasticsearch = await startElasticsearch({ dataDirectory: join(directory, 'elasticsearch') });
  const mesh = await startMesh({
    directory,
    store: `elasticsearch:${elasticsearch.url}`,
    ...{ ingest: 2, web: 0, agents: 0 },
    settings: { ingest: { THRUM_CATALOGUE: catalogue, THRUM_STORE_PREFIX: 'thrum' } },
  });
  const rate = batchesPerSecond / agents;
  const fleet = startFleet({
    ...{ url: mesh.agentsUrl, token: mesh.token, agents, targets, values, rate, connectPerSecond: 250 },
    clock: systemClock,
  });
  try {
    await fleet.untilReady(180_000);
    await pause(settleMs);
    const { counts } = fleet;
    const before = counts.connections;
    const killedMs = performance.now();
    await Promise.all(mesh.ingest.map((node) => node.kill('SIGKILL')));
    await Promise.all(mesh.ingest.map((node) => node.restart()));
    const restartedMs = performance.now();
    const cpuMs = (): number => mesh.ingest.reduce((sum, { pid }) => sum + costOf(pid).cpuMs, 0);
    const cpuFromMs = cpuMs();
    const halfMs: number[] = [];
    const isBack = (part: number): boolean =>
      counts.connections - before >= agents * part && fleet.ready() >= agents * part;
    while (!isBack(1)) {
      if (halfMs.length === 0 && isBack(0.5)) halfMs.push(performance.now());
      if (performance.now() - restartedMs > 3 * limitMs)
        throw new Error(`${fleet.ready()} of ${agents} agents are back after ${(3 * limitMs) / 1000} s`);
      await pause(20);
    }
    const backMs = performance.now();
    const cpuPerReturnUs = ((cpuMs() - cpuFromMs) * 1000) / (counts.connections - before);
    const figures = await Promise.all(mesh.ingest.map((node) => figuresOf(node.url)));
    const of = (name: string): number[] => figures.map((one) => one.get(name) ?? Number.NaN);
    const stallMs = Math.max(...of('thrum_ingest_process_loop_delay_max_seconds')) * 1000;
    const told = backMs - restartedMs;
    printFigure({
      ...{ name: 'reconnect/all-back', value: told / 1000 },
      unit: `s from both ingest nodes being ready again until all ${agents} agents were welcomed (half of them after ${(((halfMs[0] ?? backMs) - restartedMs) / 1000).toFixed(1)} s)`,
      ...{ peer: limitMs / 1000, peerIs: 'the limit', ratio: told / limitMs },
      ...{ wanted: `≤ ${limitMs / 1000}`, holds: told <= limitMs },
    });
    printFigure({
      name: 'reconnect/all-back-from-the-kill',
      value: (backMs - killedMs) / 1000,
      unit: 's from the kill of both nodes',
    });
    printFigure({
      ...{ name: 'reconnect/stall', value: stallMs, unit: "ms that a node's event loop was held up at most" },
      ...{ peer: stallLimitMs, peerIs: 'the limit', ratio: stallMs / stallLimitMs },
      ...{ wanted: `≤ ${stallLimitMs}`, holds: stallMs <= stallLimitMs },
    });
    printFigure({
      name: 'reconnect/cpu',
      value: cpuPerReturnUs,
      unit: "µs of the ingest nodes' processors per return, with all that goes on beside it",
    });
    printFigure({
      name: 'reconnect/turned-down',
      value: of('thrum_ingest_intake_handshakes_turned_down').reduce((sum, one) => sum + one, 0),
      unit: 'handshakes that were told to come later',
    });
  } finally {
    await fleet.stop();
    await mesh.stop();
    await elasticsearch.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
