/**
 * One host, 500 values a second, a thousand viewers on one web node: how late a frame is at a viewer, counted from the moment ingest took the
 * sample in, and what a frame costs the web node's processor; beside it, in turns and with the same viewers, a bare `ws` server that writes
 * frames made once. Then the same with a viewer that has stopped reading.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@thrum/actors/system/clock';
import { writeCatalogue } from '../../infra/load/catalogue.ts';
import { hostIdOf, startFleet } from '../../infra/load/fleet.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { cookieFor, knowDoor } from '../harness/sign-in.ts';
import { median, printFigure, quantile } from './figure.ts';
import type { LoopDelay } from './loop-delay.ts';
import { costOf } from './process-cost.ts';
import type { Measured, ViewersOptions } from './viewers.ts';

const viewers = Number(process.env['THRUM_BENCH_VIEWERS'] ?? 1000);
const values = Number(process.env['THRUM_BENCH_VALUES'] ?? 500);
const roundMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 20) * 1000;
const rounds = 3;
/** Opening a thousand connections leaves a program with memory to tidy up, and that is no frame's cost. */
const settleMs = 15_000;
const stalledMs = 10_000;
const idleMs = 5000;
const lookEveryMs = 200;

/** `idleMsPerSecond`: what the server costs without any viewer. */
type Server = { readonly pid: number; readonly idleMsPerSecond: number };
type Viewers = { measure(server: Server, forMs: number): Promise<Round>; stall(): void; stop(): Promise<void> };
/** `grossUs`: all the server costs meanwhile, by its frames; `netUs`: without what it costs idle. */
type Round = Measured & { readonly grossUs: number; readonly netUs: number };

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
      const idleCostMs = (server.idleMsPerSecond * forMs) / 1000;
      const measured = heard<Measured>(child);
      child.send('measure');
      const { latenciesMs, frames, ...bytes } = await measured;
      if (latenciesMs.length < (options.count * forMs * 0.8) / 1000)
        throw new Error(`${latenciesMs.length} frames came, about ${(options.count * forMs) / 1000} were expected`);
      const perFrameUs = (ms: number): number => (ms * 1000) / frames;
      return { latenciesMs, frames, grossUs: perFrameUs(costMs), netUs: perFrameUs(costMs - idleCostMs), ...bytes };
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
  const loopFile = join(directory, 'loop-delay.json');
  writeCatalogue(catalogue, 1, values);
  const mesh = await startMesh({
    directory,
    store: `duckdb:${join(directory, 'store')}`,
    ...{ ingest: 1, web: 1, agents: 0, balancer: false },
    settings: {
      ingest: { THRUM_CATALOGUE: catalogue },
      web: { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'loop-delay.ts')}`, LOOP_DELAY_FILE: loopFile },
    },
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
    let raw: { server: Server; url: string } | undefined;
    for (let round = 0; round <= rounds; round += 1) {
      const forMs = round === 0 ? roundMs / 2 : roundMs;
      const own = await openViewers(watching);
      const mine = await own.measure(server, forMs);
      if (!raw) {
        const child = program('raw-fan-out.ts', String(mine.hostFrameBytes), String(mine.otherFrameBytes));
        const url = `http://127.0.0.1:${await heard<number>(child)}`;
        const pid = child.pid ?? 0;
        raw = { server: { pid, idleMsPerSecond: ((await cpuMsOf(pid, idleMs)) * 1000) / idleMs }, url };
      }
      await own.stop();
      const bare = await openViewers({ url: raw.url, count: viewers });
      const peer = await bare.measure(raw.server, forMs);
      await bare.stop();
      // The first round only warms both programs up.
      if (round === 0) continue;
      ours.push(mine);
      theirs.push(peer);
    }

    const own = await openViewers(watching);
    const before = await own.measure(server, stalledMs);
    own.stall();
    const queue = { bytes: 0, done: false };
    const looking = (async () => {
      for (; !queue.done; await pause(lookEveryMs))
        queue.bytes = Math.max(queue.bytes, await figureOf(web.url, 'web_queued_bytes_max'));
    })();
    const stalled = await own.measure(server, stalledMs);
    queue.done = true;
    await looking;
    await own.stop();

    // Last, because looking at the event loop costs processor time, too.
    const watched = await openViewers(watching);
    process.kill(web.pid, 'SIGUSR2');
    await watched.measure(server, stalledMs);
    process.kill(web.pid, 'SIGUSR2');
    await pause(lookEveryMs);
    const loop = JSON.parse(readFileSync(loopFile, 'utf8')) as LoopDelay;
    await watched.stop();

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
    // Each round has its own peer right after it: what else the machine does meanwhile hits both.
    const ratioOf = (part: 'grossUs' | 'netUs'): number =>
      median(ours.map((one, i) => one[part] / (theirs[i]?.[part] ?? Number.NaN)));
    for (const [name, part, what] of [
      ['fan-out/cpu', 'grossUs', 'all its processor time'],
      ['fan-out/cpu-beyond-idle', 'netUs', 'its processor time beyond what it costs without viewers'],
    ] as const)
      printFigure({
        name,
        value: median(ours.map((one) => one[part])),
        unit: `µs of the web node per frame and viewer: ${what}, by the frames that came`,
        peer: median(theirs.map((one) => one[part])),
        peerIs: 'the same of the bare ws server, which writes as many frames of the same lengths',
        ratio: ratioOf(part),
        ...(part === 'grossUs' && { wanted: 'ratio ≤ 1.5', holds: ratioOf(part) <= 1.5 }),
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
      value: queue.bytes,
      unit: 'bytes at most queued for the viewer that asks and does not read, beyond what the kernel took',
      wanted: '1 to 262144',
      holds: queue.bytes > 0 && queue.bytes <= 262_144,
    });
    printFigure({
      name: 'fan-out/event-loop-blocked-max',
      value: loop.maxMs,
      unit: `ms the web node's event loop came late at most in ${stalledMs / 1000} s of fan-out (p99 ${loop.p99Ms.toFixed(1)})`,
      wanted: '≤ 20',
      holds: loop.maxMs <= 20,
    });
  } finally {
    for (const child of children) await end(child);
    await fleet.stop();
    await mesh.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
