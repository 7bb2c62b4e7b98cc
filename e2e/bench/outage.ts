/**
 * Elasticsearch away for ten minutes (a third of them it hangs, a third it is gone, a third something in its place refuses) while a fleet
 * measures at a seventh of what the store can take: then everything has to be stored, fast, and the live view must not notice. Beside each
 * figure is its own peer of the same run: the rate and the live latency before the outage.
 */
import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { systemClock } from '@thrum/actors/system/clock';
import { eventually } from '@thrum/actors/testing/eventually';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { startFleet } from '../../infra/load/fleet.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { startChaosStore, type ChaosStore } from '../chaos/chaos-store.ts';
import { launchBrowser } from '../harness/browser.ts';
import { indicesOf, refresh } from '../harness/indices.ts';
import { greetingOf } from '../harness/owner.ts';
import { knowDoor } from '../harness/sign-in.ts';
import { printFigure, quantile } from './figure.ts';
import { openAll, takeLatencies, watchAttribute } from './live-latency.ts';
import { peakBytes } from './peak-memory.ts';
import { untilAcknowledged } from './until-acknowledged.ts';

const agents = Number(process.env['THRUM_BENCH_AGENTS'] ?? 100);
const outageMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 600) * 1000;
const targets = 7;
const values = 100;
const viewers = 4;
const partOfCapacity = 7;
/** A server that has just been started takes a while to be as fast as it gets. */
const windowMs = 5000;
const maxWindows = 12;
const grownLess = 1.1;
const beforeMs = Math.min(60_000, outageMs);
/** What is on its way anyhow, in seconds of live batches: below that nothing is left of the backlog. */
const liveSeconds = 2;
const wantedDrain = 5;
const wantedLatency = 1.5;
const maxIngestBytes = 512 * 1024 * 1024;

/** Somebody who answers in the place of the store, and can do nothing. */
const standIn = async (port: number): Promise<Server> => {
  const server = createServer((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end('{"error":{"type":"unavailable","reason":"nobody home"},"status":503}');
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return server;
};

const away = async (store: ChaosStore): Promise<void> => {
  const third = outageMs / 3;
  await store.pause();
  await pause(third);
  await store.kill();
  await pause(third);
  const server = await standIn(Number(new URL(store.url).port));
  await pause(third);
  server.closeAllConnections();
  await new Promise<void>((closed) => server.close(() => closed()));
};

/** What a counter grows by in a second, once it does not grow faster from one window to the next. */
const steadyRate = async (counter: () => number): Promise<number> => {
  let before = 0;
  for (let window = 1; ; window += 1) {
    const [from, fromMs] = [counter(), performance.now()];
    await pause(windowMs);
    const rate = ((counter() - from) * 1000) / (performance.now() - fromMs);
    if (window >= maxWindows || (window > 3 && before > 0 && rate < before * grownLess)) return Math.max(rate, before);
    before = rate;
  }
};

const countDocuments = async (url: string): Promise<number> => {
  await refresh(url, 'thrum');
  const indices = (await indicesOf(url, 'thrum')).filter((name) => name.includes('-1s-load_'));
  let documents = 0;
  for (const name of indices)
    documents += ((await (await fetch(`${url}/${name}/_count`)).json()) as { count: number }).count;
  return documents;
};

export const outage = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const catalogue = join(directory, 'catalogue.json');
  writeCatalogue(catalogue, targets, values);
  const store = await startChaosStore(join(directory, 'elasticsearch'), '2g');
  const mesh = await startMesh({
    directory,
    store: `elasticsearch:${store.url}`,
    ingest: 1,
    web: 1,
    agents: 1,
    settings: { ingest: { THRUM_CATALOGUE: catalogue, THRUM_STORE_PREFIX: 'thrum' } },
  });
  knowDoor([mesh.dashboardUrl], mesh.setUpToken);
  const fleet = startFleet({
    ...{ url: mesh.agentsUrl, token: mesh.token, agents, targets, values, rate: 0, connectPerSecond: 100 },
    clock: systemClock,
  });
  const browser = await launchBrowser();
  try {
    await fleet.untilReady(60_000);
    const { counts } = fleet;
    fleet.setRate('max');
    const capacity = await steadyRate(() => counts.batchesAcknowledged);
    fleet.setRate(0);
    await untilAcknowledged(fleet, 0, 60_000);
    const live = capacity / partOfCapacity;

    await eventually(async () => (await greetingOf(mesh.dashboardUrl)).roster.length > agents, { withinMs: 30_000 });
    const host = (await greetingOf(mesh.dashboardUrl)).roster.find(({ machine }) => machine.name === 'host-1');
    if (!host) throw new Error('The agent is not in the roster.');
    const shown = await openAll(browser, `${mesh.dashboardUrl}/hosts/${host.hostId}`, viewers);
    const latencies = async (pages: readonly Page[]): Promise<number[]> =>
      (await takeLatencies(pages)).map((ms) => ms + host.clockOffsetMs);
    await Promise.all(shown.pages.map((page) => watchAttribute(page, '[data-metric="cpu.usage"]', 'data-sample-ms')));

    fleet.setRate(live / agents);
    await pause(10_000);
    await latencies(shown.pages);
    await pause(beforeMs);
    const before = await latencies(shown.pages);

    const peak = await peakBytes(mesh.ingest, () => away(store));
    const during = await latencies(shown.pages);
    await store.start();
    const backlog = fleet.unacknowledged();
    const drainedMs = await untilAcknowledged(fleet, live * liveSeconds, Math.max(outageMs, 120_000));
    const draining = await latencies(shown.pages);
    const drainPeak = await peakBytes(mesh.ingest, async () => {
      fleet.setRate(0);
      await untilAcknowledged(fleet, 0, 60_000);
    });
    const documents = await countDocuments(store.url);

    const lost = counts.batchesSent + counts.batchesWaited - counts.batchesAcknowledged + counts.ticksGivenUp;
    const refused = [...counts.refused, ...counts.samplesRefused];
    const missing = counts.batchesAcknowledged * targets - documents;
    printFigure({
      name: 'outage/lost',
      value: lost + Math.abs(missing) + refused.length,
      unit: `batches without acknowledgement, documents missing or too many, reasons of refusals (of ${documents} documents)`,
      wanted: '0',
      holds: lost + Math.abs(missing) + refused.length === 0,
    });
    if (refused.length > 0)
      process.stderr.write(`refused: ${JSON.stringify(refused)} ${JSON.stringify([...counts.details])}\n`);
    const drain = (backlog * 1000) / drainedMs;
    printFigure({
      name: 'outage/drain',
      value: drain,
      unit: 'batches of the backlog/s, beside the live ones',
      peer: live,
      peerIs: `live batches/s, a seventh of the ${Math.round(capacity)} that the store takes`,
      ratio: drain / live,
      wanted: `≥ ${wantedDrain} × the live rate`,
      holds: drain >= wantedDrain * live,
    });
    printFigure({ name: 'outage/drained', value: drainedMs / 1000, unit: `s until ${backlog} batches were stored` });
    for (const [name, ms] of [
      ['while-away', during],
      ['while-draining', draining],
    ] as const)
      for (const part of [0.5, 0.99]) {
        const [value, peer] = [quantile(ms, part), quantile(before, part)];
        printFigure({
          name: `outage/live-${name}-p${part * 100}`,
          value,
          unit: `ms from the sample to the page (${ms.length} seen)`,
          peer,
          peerIs: 'the same before the outage',
          ratio: value / peer,
          ...(part === 0.99 ? { wanted: `≤ ${wantedLatency} × before`, holds: value <= wantedLatency * peer } : {}),
        });
      }
    const most = Math.max(peak, drainPeak);
    printFigure({
      name: 'outage/ingest-memory',
      value: most / 1024 / 1024,
      unit: 'MiB resident at most',
      wanted: '≤ 512',
      holds: most <= maxIngestBytes,
    });
    await shown.close();
  } finally {
    await browser.close();
    await fleet.stop();
    await mesh.stop();
    await store.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
