/**
 * What the queue on disk costs, beside the bare file: throughput in large groups, durable appends in small ones, recovery, and the memory of a
 * process that opened a full queue. One JSON line per figure; `peer` is the floor measured in the same run, without any queue.
 * Run by hand: node agent/src/queue/queue.bench.ts
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog } from '@thrum/actors/system/log';
import { openDiskQueue, type DiskQueue } from './disk-queue.ts';
import { openFileDisk } from './file-disk.ts';
import type { QueuedBatch } from './queue.ts';

const host = '0b54e1f2-9c1d-4c0e-8d7a-3f1f6a5b2c4d';
const gib = 1024 ** 3;
const mb = 1e6;
const payload = new Uint8Array(4096 - 64).map((_, i) => (i * 31) & 255);
/** How the agent runs (agent/README.md). */
const agentFlags = ['--max-semi-space-size=1', '--optimize-for-size', '--no-opt', '--no-maglev'];

type Wanted = { readonly wanted: string; readonly holds: boolean };
const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
const print = (name: string, unit: string, value: number, peer: number, peerIs: string, wanted?: Wanted): void => {
  const line = {
    name,
    value: rounded(value),
    unit,
    peer: rounded(peer),
    peerIs,
    ratio: rounded(value / peer),
    ...wanted,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const openAt = (directory: string, epoch: number): Promise<DiskQueue> =>
  openDiskQueue({
    ...{ disk: openFileDisk(directory), host, epoch, maxBytes: 2 * gib, maxAgeMs: 72 * 3_600_000 },
    ...{ clock: systemClock, log: silentLog },
  });

let seq = 0;
/** Events: their bytes may be any, and they need no dictionary. */
const record = (epoch: number): QueuedBatch => {
  seq += 1;
  return { kind: 'events', epoch, seq, timeMs: 1.7e12 + seq, dictionary: '', samples: 0, bytes: payload };
};

/** Appends so many groups, each waited for; returns the seconds. */
const fill = async (queue: DiskQueue, epoch: number, groups: number, size: number): Promise<number> => {
  const beganMs = performance.now();
  for (let group = 0; group < groups; group += 1)
    await Promise.all(Array.from({ length: size }, () => queue.append(record(epoch), undefined)));
  return (performance.now() - beganMs) / 1000;
};

/** The same bytes, written and synced in the same groups to one file. */
const bareWrites = async (path: string, groups: number, size: number): Promise<number> => {
  const file = await open(path, 'wx');
  const bytes = Buffer.alloc(4096 * size, 7);
  const beganMs = performance.now();
  for (let group = 0; group < groups; group += 1) {
    await file.write(bytes, 0, bytes.length, group * bytes.length);
    await file.datasync();
  }
  const seconds = (performance.now() - beganMs) / 1000;
  await file.close();
  return seconds;
};

const bareRead = async (directory: string): Promise<number> => {
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  const beganMs = performance.now();
  for (const name of (await readdir(directory)).filter((one) => one.endsWith('.seg'))) {
    const file = await open(join(directory, name));
    for (let at = 0; ; at += buffer.length)
      if ((await file.read(buffer, 0, buffer.length, at)).bytesRead < buffer.length) break;
    await file.close();
  }
  return performance.now() - beganMs;
};

/** In a process of its own: opens the queue of a directory, and says how long that took and how much memory the process has then. */
const openInChild = async (
  program: string,
  directory: string,
  flags: readonly string[],
): Promise<{ ms: number; rssMiB: number }> => {
  const child = spawn(process.execPath, [...flags, program, 'open', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the process that opens the queue ended with ${String(code)}`);
  return JSON.parse(text) as { ms: number; rssMiB: number };
};

if (process.argv[2] === 'open') {
  const beganMs = performance.now();
  const queue = await openAt(process.argv[3] ?? '', 1000);
  const ms = performance.now() - beganMs;
  const read = await queue.read(undefined, { maxBatches: 64, maxBytes: 1e6 });
  if (read.length === 0) throw new Error('the queue is empty');
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.stdout.write(JSON.stringify({ ms, rssMiB: process.memoryUsage.rss() / 2 ** 20 }));
  process.exit(0); // as it is: the next one finds the same queue
}

/** As the agent is shipped: in one file, because the loader of TypeScript takes memory too. */
const bundle = async (file: string): Promise<string> => {
  const { build } = await import('rolldown');
  await build({
    input: import.meta.filename,
    platform: 'node',
    external: ['rolldown'],
    output: { file, format: 'esm', minify: true },
  });
  return file;
};

const parent = mkdtempSync(join(tmpdir(), 'thrum-queue-bench-'));
try {
  const path = (name: string): string => join(parent, name);
  const program = await bundle(path('bench.mjs'));
  const large: number[] = [];
  const small: number[] = [];
  const bareLarge: number[] = [];
  const bareSmall: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const queue = await openAt(path(`write-${round}`), 1);
    large.push((250 * 100 * 4096) / mb / (await fill(queue, 1, 250, 100)));
    bareLarge.push((250 * 100 * 4096) / mb / (await bareWrites(path(`large-${round}`), 250, 100)));
    small.push((500 * 10) / (await fill(queue, 1, 500, 10)));
    bareSmall.push((500 * 10) / (await bareWrites(path(`small-${round}`), 500, 10)));
    await queue.close();
  }
  const floor = 'write and fdatasync of the same bytes';
  const [largest, smallest] = [median(large), median(small)];
  print('queue groups of 100 × 4 KB', 'MB/s', largest, median(bareLarge), floor, {
    wanted: '>= 100',
    holds: largest >= 100,
  });
  print('queue durable 4 KB appends in groups of 10', '1/s', smallest, median(bareSmall), floor, {
    ...{ wanted: '>= 5000', holds: smallest >= 5000 },
  });

  const queue = await openAt(path('read'), 1);
  await fill(queue, 1, 244, 100);
  await queue.close();
  for (const [name, flags] of [
    ['queue recovery of 100 MB', []],
    ["queue recovery of 100 MB, the agent's flags", agentFlags],
  ] as const) {
    const runs: number[] = [];
    for (let round = 0; round < 5; round += 1) runs.push((await openInChild(program, path('read'), flags)).ms);
    const ms = median(runs);
    print(name, 'ms', ms, await bareRead(path('read')), 'read of the same files', {
      wanted: '<= 150',
      holds: ms <= 150,
    });
  }

  const full = await openAt(path('full'), 1);
  while (full.size().dropped === 0) await fill(full, 1, 50, 250);
  await full.close();
  const { ms, rssMiB } = await openInChild(program, path('full'), agentFlags);
  const empty = await openInChild(program, path('write-0'), agentFlags);
  print('queue RSS with 2 GiB', 'MiB', rssMiB, empty.rssMiB, 'the same with 120 MB', {
    wanted: '<= 75',
    holds: rssMiB <= 75,
  });
  print('queue recovery of 2 GiB', 'ms', ms, await bareRead(path('full')), 'read of the same files');
} finally {
  rmSync(parent, { recursive: true, force: true });
}
