/**
 * One host, 500 values a second, a thousand viewers on one web node: how late a frame is at a viewer, counted from the moment ingest took the
 * sample in, and what a frame costs the web node's processor; beside it, in turns and with the same viewers, a bare `ws` server that writes
 * frames made once. Then the same with a viewer that has stopped reading.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@thrum/actors/system/clock';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { hostIdOf, startFleet } from '../../infra/load/fleet.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { cookieFor, knowDoor } from '../harness/sign-in.ts';
import { median, printFigure, quantile } from './figure.ts';
import { costOf } from './process-cost.ts';
import type { Measured, ViewersOptions } from './viewers.ts';

const viewers = Number(process.env['THRUM_BENCH_VIEWERS'] ?? 1000);
const values = Number(process.env['THRUM_BENCH_VALUES'] ?? 500);
const roundMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 20) * 1000;
const rounds = 3;
const settleMs = 3000;
const stalledMs = 10_000;
const idleMs = 5000;

/** `idleMsPerSecond`: what the server costs without any viewer, which is no frame's. */
type Server = { readonly pid: number; readonly idleMsPerSecond: number };
type Viewers = { measure(server: Server, forMs: number): Promise<Round>; stall(): void; stop(): Promise<void> };
type Round = { latenciesMs: number[]; perFrameUs: number; frames: number; hostFrameBytes: number };

const children = new Set<ChildProcess>();

const program = (name: string, ...args: readonly string[]): ChildProcess => {
  const child = fork(join(import.meta.dirname, name), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
};

const heard = async <T>(child: ChildProcess): Promise<T> => {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a program of the bench ended with code ${String(code)}`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return message;
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
};

const openViewers = async (options: ViewersOptions): Promise<Viewers> => {
  const child = program('viewers.ts', JSON.stringify(options));
  await heard(child);
  await pause(settleMs);
  return {
    measure: async (server, forMs) => {
      child.send('clear');
      const costMs = await cpuMsOf(server.pid, forMs);
      const cpuMs = costMs - (server.idleMsPerSecond * forMs) / 1000;
      const measured = heard<Measured>(child);
      child.send('measure');
      const { latenciesMs, frames, hostFrameBytes } = await measured;
      if (latenciesMs.length < (options.count * forMs * 0.8) / 1000)
        throw new Error(`${latenciesMs.length} frames came, about ${(options.count * forMs) / 1000} were expected`);
      return { latenciesMs, frames, perFrameUs: (cpuMs * 1000) / frames, hostFrameBytes };
    },
    stall: () => void child.send('stall'),
    stop: () => end(child),
  };
};

const cpuMsOf = async (pid: number, forMs: number): Promise<number> => {
  const before = costOf(pid).cpuMs;
  await pause(forMs);
  return costOf(pid).cpuMs - before;
};

const figureOf = async (url: string, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^\\w*${name}(?:\\{.*\\})? ([\\d.e+]+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
};

export const fanOut = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const catalogue = join(directory, 'catalogue.json');
  writeCatalogue(catalogue, 1, values);
  const mesh = await startMesh({
    directory,
    store: `duckdb:${join(directory, 'store')}`,
    ...{ ingest: 1, web: 1, agents: 0, balancer: false },
    settings: { ingest: { THRUM_CATALOGUE: catalogue } },
  });
  const fleet = startFleet({
    ...{ url: mesh.agentsUrl, token: mesh.token, agents: 1, targets: 1, values, rate: 1 },
    clock: systemClock,
  });
  try {
    await fleet.untilReady(30_000);
    const [web] = mesh.web;
    if (!web) throw new Error('BUG: no web node');
    knowDoor([web.url], mesh.setUpToken);
    const cookie = await cookieFor(web.url);
    const watching: ViewersOptions = { url: web.url, count: viewers, host: hostIdOf(1), cookie };

    await pause(settleMs);
    const server: Server = { pid: web.pid, idleMsPerSecond: ((await cpuMsOf(web.pid, idleMs)) * 1000) / idleMs };
    const ours: Round[] = [];
    const theirs: Round[] = [];
    let raw: { child: ChildProcess; url: string } | undefined;
    for (let round = 0; round <= rounds; round += 1) {
      const forMs = round === 0 ? roundMs / 2 : roundMs;
      const own = await openViewers(watching);
      const mine = await own.measure(server, forMs);
      if (!raw) {
        const child = program('raw-fan-out.ts', String(mine.hostFrameBytes));
        raw = { child, url: `http://127.0.0.1:${await heard<number>(child)}` };
      }
      await own.stop();
      const bare = await openViewers({ url: raw.url, count: viewers });
      const peer = await bare.measure({ pid: raw.child.pid ?? 0, idleMsPerSecond: 0 }, forMs);
      await bare.stop();
      // The first round only warms both programs up.
      if (round === 0) continue;
      ours.push(mine);
      theirs.push(peer);
    }

    const own = await openViewers(watching);
    const before = await own.measure(server, stalledMs);
    own.stall();
    const stalled = await own.measure(server, stalledMs);
    const queuedBytes = await figureOf(web.url, 'web_queued_bytes_max');
    await own.stop();

    const all = (some: readonly Round[]): number[] => some.flatMap(({ latenciesMs }) => latenciesMs);
    for (const part of [0.5, 0.99]) {
      const [value, peer] = [quantile(all(ours), part), quantile(all(theirs), part)];
      printFigure({
        name: `fan-out/p${part * 100}`,
        value,
        unit: `ms from ingest to a viewer, ${viewers} viewers, ${values} values a second`,
        peer,
        peerIs: 'bare ws server that writes frames made once to the same viewers and pings them as often',
        ratio: value / peer,
        ...(part === 0.99 && { wanted: '≤ 40', holds: value <= 40 }),
      });
    }
    const [cost, peerCost] = [median(ours.map((one) => one.perFrameUs)), median(theirs.map((one) => one.perFrameUs))];
    // Each round has its own peer right after it: what else the machine does meanwhile hits both.
    const ratio = median(ours.map((one, i) => one.perFrameUs / (theirs[i]?.perFrameUs ?? Number.NaN)));
    printFigure({
      name: 'fan-out/cpu',
      value: cost,
      unit: "µs of the web node's processor per frame and viewer, beyond what it costs without viewers",
      peer: peerCost,
      peerIs: 'the same of the bare ws server',
      ratio,
      wanted: 'ratio ≤ 1.5',
      holds: ratio <= 1.5,
    });
    printFigure({
      name: 'fan-out/stopped-reader-p99',
      value: quantile(stalled.latenciesMs, 0.99),
      unit: 'ms at the others, while one viewer has stopped reading',
      peer: quantile(before.latenciesMs, 0.99),
      peerIs: 'the same viewers before it stopped',
    });
    printFigure({
      name: 'fan-out/stopped-reader-bytes',
      value: queuedBytes,
      unit: 'bytes queued for the slowest viewer',
      wanted: '≤ 262144',
      holds: queuedBytes <= 262_144,
    });
  } finally {
    for (const child of children) await end(child);
    await fleet.stop();
    await mesh.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
