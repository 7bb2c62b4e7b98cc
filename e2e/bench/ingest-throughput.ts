/**
 * How much goes through: a fleet of 100 agents × 7 targets × 100 values, as fast as it is acknowledged, through the balancer, one ingest
 * node and Elasticsearch; then bare `_bulk` requests with the same documents to the same server; in turns, in one run. And what a batch
 * costs the ingest node's processor.
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
import { indicesOf } from '../harness/indices.ts';
import { median, printFigure } from './figure.ts';
import { costOf } from './process-cost.ts';
import { rawBulk } from './raw-bulk.ts';

const agents = Number(process.env['THRUM_BENCH_AGENTS'] ?? 100);
const targets = 7;
const values = 100;
const rounds = 3;
const roundMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 20) * 1000;
const warmUpMs = 8000;

export const ingestThroughput = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const catalogue = join(directory, 'catalogue.json');
  writeCatalogue(catalogue, targets, values);
  const elasticsearch = await startElasticsearch({ dataDirectory: join(directory, 'elasticsearch'), heap: '2g' });
  const mesh = await startMesh({
    directory,
    store: `elasticsearch:${elasticsearch.url}`,
    ingest: 1,
    web: 1,
    agents: 0,
    settings: { ingest: { THRUM_CATALOGUE: catalogue, THRUM_STORE_PREFIX: 'thrum' } },
  });
  const fleet = startFleet({
    url: mesh.agentsUrl,
    token: mesh.token,
    agents,
    targets,
    values,
    rate: 0,
    connectPerSecond: 100,
    clock: systemClock,
  });
  try {
    await fleet.untilReady(60_000);
    const ingest = mesh.ingest[0];
    if (!ingest) throw new Error('BUG: no ingest node');
    const drained = async (): Promise<void> => {
      while (fleet.unacknowledged() > 0) await pause(20);
    };
    fleet.setRate('max');
    await pause(warmUpMs);
    fleet.setRate(0);
    await drained();
    const indices = (await indicesOf(elasticsearch.url, 'thrum')).filter((name) => name.includes('-1s-load_'));
    const raw = await rawBulk(elasticsearch.url, indices, 'raw');
    await raw.run(warmUpMs);
    fleet.latencies.clear();

    const ours: number[] = [];
    const theirs: number[] = [];
    const perBatchUs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const before = { batches: fleet.counts.batchesAcknowledged, cpuMs: costOf(ingest.pid).cpuMs };
      const startedMs = performance.now();
      fleet.setRate('max');
      await pause(roundMs);
      fleet.setRate(0);
      await drained();
      const seconds = (performance.now() - startedMs) / 1000;
      const batches = fleet.counts.batchesAcknowledged - before.batches;
      ours.push((batches * targets) / seconds);
      perBatchUs.push(((costOf(ingest.pid).cpuMs - before.cpuMs) * 1000) / batches);
      const bare = await raw.run(roundMs);
      theirs.push(bare.documents / bare.seconds);
    }
    const refused = [...fleet.counts.refused, ...fleet.counts.samplesRefused];
    if (refused.length > 0) throw new Error(`Ingest refused: ${JSON.stringify(refused)}`);
    const [value, peer] = [median(ours), median(theirs)];
    // Each round has its own peer right after it: what else the machine does meanwhile hits both.
    const ratio = median(ours.map((one, i) => one / (theirs[i] ?? Number.NaN)));
    printFigure({
      name: 'ingest-throughput/documents',
      value,
      unit: `documents/s of ${values} values`,
      peer,
      peerIs: 'bare _bulk requests with the same documents',
      ratio,
      wanted: 'ratio ≥ 0.8',
      holds: ratio >= 0.8,
    });
    printFigure({
      name: 'ingest-throughput/values',
      value: value * values,
      unit: 'values/s',
      peer: peer * values,
      ratio,
    });
    const limitUs = 120 + 0.3 * targets * values;
    const cost = median(perBatchUs);
    printFigure({
      name: 'ingest-throughput/cpu',
      value: cost,
      unit: `µs of ingest's processor per batch of ${targets * values} values`,
      peer: limitUs,
      peerIs: 'the limit: 120 µs per batch + 0.3 µs per value',
      ratio: cost / limitUs,
      wanted: `≤ ${limitUs}`,
      holds: cost <= limitUs,
    });
    for (const [name, part] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const)
      printFigure({
        name: `ingest-throughput/acknowledged-${name}`,
        value: fleet.latencies.quantileMs(part),
        unit: `ms from sending to acknowledgement, ${agents} agents with full windows`,
      });
  } finally {
    await fleet.stop();
    await mesh.stop();
    await elasticsearch.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
