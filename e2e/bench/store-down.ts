/**
 * 5,000 agents on one ingest node, and no store: half of the time it hangs, half of the time it is gone, while every agent goes on measuring, a
 * batch in ten seconds. The node keeps nothing it could lose, so its memory has to stay where it was; and when the store is back all that
 * waited with the agents is stored.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@thrum/actors/system/clock';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { startFleet } from '../../infra/load/fleet.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { startChaosStore } from '../chaos/chaos-store.ts';
import { printFigure } from './figure.ts';
import { figuresOf } from './node-figures.ts';
import { peakBytes } from './peak-memory.ts';
import { untilAcknowledged } from './until-acknowledged.ts';

const agents = Number(process.env['THRUM_BENCH_AGENTS'] ?? 5000);
const downMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 60) * 1000;
const batchesPerAgentAndSecond = 0.1;
const targets = 7;
const values = 100;
const beforeMs = 20_000;
const drainWithinMs = 300_000;
const limitBytes = 512 * 1024 * 1024;
const mebibyte = 1024 * 1024;

export const storeDown = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const catalogue = join(directory, 'catalogue.json');
  writeCatalogue(catalogue, targets, values);
  const store = await startChaosStore(join(directory, 'elasticsearch'), '1g');
  const mesh = await startMesh({
    directory,
    store: `elasticsearch:${store.url}`,
    ...{ ingest: 1, web: 0, agents: 0 },
    settings: { ingest: { THRUM_CATALOGUE: catalogue, THRUM_STORE_PREFIX: 'thrum' } },
  });
  const [ingest] = mesh.ingest;
  if (!ingest) throw new Error('BUG: no ingest node');
  const fleet = startFleet({
    ...{ url: mesh.agentsUrl, token: mesh.token, agents, targets, values, rate: 0, connectPerSecond: 250 },
    clock: systemClock,
  });
  try {
    await fleet.untilReady(180_000);
    const { counts } = fleet;
    fleet.setRate(batchesPerAgentAndSecond);
    const before = await peakBytes(mesh.ingest, () => pause(beforeMs));
    const connections = counts.connections;
    let heldBytes = 0;
    const down = await peakBytes(mesh.ingest, async () => {
      await store.pause();
      await pause(downMs / 2);
      heldBytes = (await figuresOf(ingest.url)).get('thrum_ingest_store_held_bytes') ?? Number.NaN;
      await store.kill();
      await pause(downMs / 2);
    });
    const waiting = fleet.unacknowledged();
    const again = counts.connections - connections;
    await store.start();
    const after = await peakBytes(mesh.ingest, async () => {
      fleet.setRate(0);
      await untilAcknowledged(fleet, 0, drainWithinMs);
    });
    const most = Math.max(down, after);
    printFigure({
      name: 'store-down/ingest-memory',
      value: most / mebibyte,
      unit: `MiB resident at most, ${agents} agents, no store for ${downMs / 1000} s and then ${waiting} batches that waited`,
      ...{ peer: before / mebibyte, peerIs: 'the same with the store', ratio: most / before },
      ...{ wanted: `≤ ${limitBytes / mebibyte}`, holds: most <= limitBytes },
    });
    printFigure({ name: 'store-down/held', value: heldBytes / mebibyte, unit: 'MiB of batches held for the store' });
    printFigure({ name: 'store-down/after', value: after / mebibyte, unit: 'MiB resident at most after it was back' });
    printFigure({
      name: 'store-down/connected-again',
      value: again,
      unit: 'connections that were made anew meanwhile',
      ...{ wanted: '0', holds: again === 0 },
    });
    const lost = counts.batchesSent + counts.batchesWaited - counts.batchesAcknowledged + counts.ticksGivenUp;
    printFigure({
      name: 'store-down/lost',
      value: lost,
      unit: `batches without acknowledgement, of ${counts.batchesAcknowledged}`,
      ...{ wanted: '0', holds: lost === 0 },
    });
  } finally {
    await fleet.stop();
    await mesh.stop();
    await store.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
