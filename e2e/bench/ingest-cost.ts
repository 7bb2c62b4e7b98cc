/**
 * What an agent costs an ingest node: processor time per batch while 100, 1,000 and 5,000 agents together send as many batches a second as
 * one another (a part of what the store takes), and memory per agent that is connected and has sent. One ingest node, real Elasticsearch.
 *
 * The node is warmed up first by a small fleet that sends as many batches and then leaves: what a node costs once, however many agents it
 * serves (compiled code, buffers of bulks, room for short-lived objects: 50 MB and some seconds of the processor), would otherwise be divided
 * by the agents, and be most of what 100 of them seem to cost. Memory is what was added after that.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@thrum/actors/system/clock';
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { startFleet, type Fleet } from '../../infra/load/fleet.ts';
import { startMesh, type Mesh } from '../../infra/local/start-mesh.ts';
import { printFigure } from './figure.ts';
import type { MemoryNow } from './memory-probe.ts';
import { costOf } from './process-cost.ts';

const fleets = (process.env['THRUM_BENCH_AGENTS'] ?? '100,1000,5000').split(',').map(Number);
const batchesPerSecond = Number(process.env['THRUM_BENCH_RATE'] ?? 500);
const measureMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 20) * 1000;
const targets = 7;
const values = 100;
const settleMs = 5_000;
const warmingAgents = 50;
const warmMs = 15_000;
const limitUs = 120 + 0.3 * targets * values;
const limitBytes = 80 * 1024;

type Measured = {
  readonly perBatchUs: number;
  /** Of that, what the batches cost beyond connections that send nothing. */
  readonly beyondIdleUs: number;
  readonly idlePercent: number;
  readonly bytesPerAgent: number;
};

const memoryOf = async (pid: number, file: string): Promise<MemoryNow> => {
  const read = (): MemoryNow | undefined => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as MemoryNow;
    } catch {
      return undefined;
    }
  };
  const before = read()?.at ?? 0;
  process.kill(pid, 'SIGUSR2');
  for (let now = read(); ; now = read()) {
    if (now && now.at > before) return now;
    await pause(50);
  }
};

/** Percent of a processor that this process takes during `ms`, and what it took. */
const cpuDuring = async (pid: number, ms: number): Promise<{ cpuMs: number; percent: number }> => {
  const [fromMs, from] = [performance.now(), costOf(pid).cpuMs];
  await pause(ms);
  const cpuMs = costOf(pid).cpuMs - from;
  return { cpuMs, percent: (cpuMs * 100) / (performance.now() - fromMs) };
};

/** Throws when agents were refused for good, which nothing makes good again, or when it takes too long. */
const until = async (fleet: Fleet, isSo: () => boolean, what: string): Promise<void> => {
  const untilMs = performance.now() + 120_000;
  while (!isSo()) {
    if (fleet.over() > 0)
      throw new Error(`${fleet.over()} agents were refused: ${JSON.stringify([...fleet.counts.details])}`);
    if (performance.now() > untilMs) throw new Error(`not so within two minutes: ${what}`);
    await pause(50);
  }
};

/** Hosts of their own: none of them connects again. */
const fleetOf = (mesh: Mesh, agents: number, first: number): Fleet =>
  startFleet({
    ...{ url: mesh.agentsUrl, token: mesh.token, agents, first, targets, values, rate: 0, connectPerSecond: 200 },
    clock: systemClock,
  });

const warmUp = async (mesh: Mesh): Promise<void> => {
  const fleet = fleetOf(mesh, warmingAgents, 1_000_000);
  try {
    await fleet.untilReady(120_000);
    fleet.setRate(batchesPerSecond / warmingAgents);
    await pause(warmMs);
    fleet.setRate(0);
    await until(fleet, () => fleet.unacknowledged() === 0, 'everything is acknowledged');
  } finally {
    await fleet.stop();
  }
};

const measure = async (mesh: Mesh, agents: number, memoryFile: string): Promise<Measured> => {
  const ingest = mesh.ingest[0];
  if (!ingest) throw new Error('BUG: no ingest node');
  await warmUp(mesh);
  const empty = await memoryOf(ingest.pid, memoryFile);
  const fleet = fleetOf(mesh, agents, 1);
  try {
    await fleet.untilReady(120_000);
    await pause(settleMs);
    const idle = await cpuDuring(ingest.pid, settleMs);
    fleet.setRate(batchesPerSecond / agents);
    // Until every agent has sent twice: its table, its shape and its rates are there.
    await until(fleet, () => fleet.counts.batchesAcknowledged >= 2 * agents, 'every agent has sent twice');
    const from = fleet.counts.batchesAcknowledged;
    const busy = await cpuDuring(ingest.pid, measureMs);
    const batches = fleet.counts.batchesAcknowledged - from;
    fleet.setRate(0);
    await until(fleet, () => fleet.unacknowledged() === 0, 'everything is acknowledged');
    const refused = [...fleet.counts.refused, ...fleet.counts.samplesRefused];
    if (refused.length > 0) throw new Error(`Ingest refused: ${JSON.stringify(refused)}`);
    const full = await memoryOf(ingest.pid, memoryFile);
    const idleMs = (busy.cpuMs * idle.percent) / busy.percent;
    return {
      perBatchUs: (busy.cpuMs * 1000) / batches,
      beyondIdleUs: ((busy.cpuMs - idleMs) * 1000) / batches,
      idlePercent: idle.percent,
      bytesPerAgent: (full.residentBytes - empty.residentBytes) / agents,
    };
  } finally {
    await fleet.stop();
  }
};

export const ingestCost = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const catalogue = join(directory, 'catalogue.json');
  const memoryFile = join(directory, 'memory.json');
  writeCatalogue(catalogue, targets, values);
  const elasticsearch = await startElasticsearch({ dataDirectory: join(directory, 'elasticsearch'), heap: '2g' });
  try {
    for (const agents of fleets) {
      // A node of its own for each fleet: the hosts of the one before are remembered.
      const mesh = await startMesh({
        directory,
        store: `elasticsearch:${elasticsearch.url}`,
        ...{ ingest: 1, web: 0, agents: 0, balancer: false },
        settings: {
          ingest: {
            THRUM_CATALOGUE: catalogue,
            THRUM_STORE_PREFIX: 'thrum',
            NODE_OPTIONS: `--expose-gc --import=${join(import.meta.dirname, 'memory-probe.ts')}`,
            MEMORY_FILE: memoryFile,
          },
        },
      });
      try {
        rmSync(memoryFile, { force: true });
        const { perBatchUs, beyondIdleUs, idlePercent, bytesPerAgent } = await measure(mesh, agents, memoryFile);
        printFigure({
          ...{ name: `ingest-cost/cpu-${agents}-agents`, value: perBatchUs },
          unit: `µs of ingest's processor per batch of ${targets * values} values, ${batchesPerSecond} batches/s altogether`,
          ...{ peer: limitUs, peerIs: 'the limit: 120 µs per batch + 0.3 µs per value', ratio: perBatchUs / limitUs },
          ...{ wanted: `≤ ${limitUs}`, holds: perBatchUs <= limitUs },
        });
        printFigure({
          name: `ingest-cost/beyond-idle-${agents}-agents`,
          value: beyondIdleUs,
          unit: 'µs of that which are not spent while they send nothing (pings, and a look at every host)',
        });
        printFigure({
          name: `ingest-cost/idle-${agents}-agents`,
          value: idlePercent,
          unit: '% of a processor while they send nothing',
        });
        printFigure({
          ...{ name: `ingest-cost/memory-${agents}-agents`, value: bytesPerAgent / 1024 },
          unit: 'KiB resident per agent that is connected and has sent, after collecting garbage',
          ...{ peer: limitBytes / 1024, peerIs: 'the limit', ratio: bytesPerAgent / limitBytes },
          ...(agents >= 1000 && { wanted: '≤ 80', holds: bytesPerAgent <= limitBytes }),
        });
      } finally {
        await mesh.stop();
      }
    }
  } finally {
    await elasticsearch.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
