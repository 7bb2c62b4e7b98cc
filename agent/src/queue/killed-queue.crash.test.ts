/**
 * A real queue on a real file system, its program killed at the n-th system call of a kind, for every n (`strace` does that): what it had called
 * durable is there afterwards. The same with calls that fail, and with a disk that is really full. Everyday runs take every so-manyth n,
 * THRUM_FUZZ_INPUTS above the everyday number takes all.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { fuzzInputs } from '@thrum/actors/testing/fuzz';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog } from '@thrum/actors/system/log';
import { childOptions, childRecord } from './crash-child.ts';
import { openDiskQueue } from './disk-queue.ts';
import { openFileDisk } from './file-disk.ts';
import * as list from './queue-ledger.ts';
import type { Gap } from './queue.ts';
import { drainGaps, readAll } from './queue-world.contract.ts';

const run = promisify(execFile);
const child = join(import.meta.dirname, 'crash-child.ts');
const records = 64;
const isLong = fuzzInputs(1) > 20_000;
const everydayKills = 3;
const hasStrace = spawnSync('strace', ['-V']).status === 0;
const needsStrace = { skip: hasStrace ? false : 'strace is not here' };

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'thrum-killed-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

type Told = { readonly lines: readonly string[]; readonly code: number | string | undefined };

/**
 * Runs the child with one thread for its files, because calls are counted by thread: the n-th call is then the same one each time. With these calls tampered with; what it said until its end.
 */
const runChild = async (
  directory: string,
  epoch: number,
  inject: readonly string[] = [],
  trace = join(folder, 'trace'),
): Promise<Told> => {
  const words = [process.execPath, child, directory, String(epoch), String(records)];
  const [program = '', ...rest] =
    inject.length === 0 ? words : ['strace', '-f', '-qq', '-o', trace, ...inject, ...words];
  try {
    const { stdout } = await run(program, rest, {
      timeout: 60_000,
      maxBuffer: 1 << 24,
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    return { lines: stdout.split('\n'), code: 0 };
  } catch (error) {
    const failed = error as { stdout?: string; stderr?: string; code?: number; signal?: string };
    if (failed.code === 1) throw new Error(`the child failed: ${failed.stderr ?? ''}`, { cause: error });
    return { lines: (failed.stdout ?? '').split('\n'), code: failed.signal ?? failed.code };
  }
};

/** The list of what the child said it had done. */
const ledgerOf = (epoch: number, { lines }: Told): list.Ledger => {
  const ledger = list.emptyLedger();
  for (let seq = 0; seq < records; seq += 1) list.offer(ledger, childRecord(epoch, seq));
  for (const line of lines) {
    const [word, ...rest] = line.split(' ');
    const [, first = 0, last = 0] = rest.map(Number);
    if (word === 'safe' || word === 'kept') list.setState(ledger, childRecord(epoch, first), word);
    else if (word === 'durable' || word === 'closed') list.allSafe(ledger);
    else if (word === 'gap') list.giveOut(ledger, JSON.parse(line.slice(4)) as Gap);
    else if (word === 'ack')
      for (const [name, entry] of ledger.entries)
        if (first <= entry.record.seq && entry.record.seq <= last) ledger.entries.set(name, { ...entry, acked: 0 });
  }
  return ledger;
};

/** Opens what is there and judges it by what the child said. */
const judge = async (directory: string, epoch: number, told: Told): Promise<number> => {
  const queue = await openDiskQueue({
    ...childOptions,
    ...{ disk: openFileDisk(directory), epoch: epoch + 1, clock: systemClock, log: silentLog },
  });
  const ledger = ledgerOf(epoch, told);
  const found = await readAll(queue);
  const account = queue.account();
  const gaps: Gap[] = [...ledger.given.values(), ...drainGaps(queue)];
  await queue.close();
  // What was never offered because the child died before is not lost: only what it said counts.
  const there = new Set(found.map(list.nameOf));
  for (const [name, { state }] of ledger.entries)
    if (state === 'offered' && !there.has(name)) ledger.entries.delete(name);
  // Of "kept" records and of a call that was under way nobody knows whether the checkpoint has them: numbers are looked at in the model.
  list.judge({ ...ledger, isDamaged: true }, { records: found, gaps, account }, { crashed: true });
  for (const [name, { state, acked }] of ledger.entries)
    if (state === 'safe' && acked === undefined && !there.has(name))
      assert.ok(
        gaps.some((gap) => list.covers(gap, childRecord(epoch, Number(name.split('/')[1])))),
        `${name} is gone`,
      );
  return found.length;
};

const countCalls = async (calls: string): Promise<number> => {
  const directory = join(folder, 'count');
  const trace = join(folder, 'count.trace');
  await runChild(directory, 1, ['-e', `trace=${calls}`], trace);
  await rm(directory, { recursive: true });
  const byThread = new Map<string, number>();
  for (const line of readFileSync(trace, 'utf8')
    .split('\n')
    .filter((one) => one.includes('('))) {
    const thread = line.split(' ')[0] ?? '';
    byThread.set(thread, (byThread.get(thread) ?? 0) + 1);
  }
  return Math.max(0, ...byThread.values());
};

/** Kills at the n-th call, for n over the whole run. */
const sweep = async (t: TestContext, calls: string): Promise<void> => {
  const total = await countCalls(calls);
  assert.ok(total > 0, `the child makes no ${calls}`);
  const stride = isLong ? 1 : Math.max(1, total / everydayKills);
  let kills = 0;
  // The first ones always: opening is where little is on disk yet.
  for (let n = 1; n <= total; n = Math.max(n + 1, Math.round(n + stride))) {
    const directory = join(folder, `${calls.split(',')[0] ?? ''}-${n}`);
    const told = await runChild(directory, 1, ['-e', `trace=${calls}`, '-e', `inject=${calls}:signal=KILL:when=${n}`]);
    await mkdir(directory, { recursive: true });
    await judge(directory, 1, told).catch((error: unknown) => {
      throw new Error(`killed at ${calls} number ${n} of ${total}`, { cause: error });
    });
    // And again, over what the first one left.
    if (n % 3 === 1) {
      const second = await runChild(directory, 3, [
        '-e',
        `trace=${calls}`,
        '-e',
        `inject=${calls}:signal=KILL:when=${n}`,
      ]);
      kills += Number(second.code === 'SIGKILL');
    }
    // The last ones may not come: how many calls there are depends on what was committed together.
    const isKilled = told.code === 'SIGKILL';
    assert.ok(isKilled || n > total / 2, `not killed at ${calls} number ${n} of ${total}: ${String(told.code)}`);
    kills += Number(isKilled);
    await rm(directory, { recursive: true, force: true });
  }
  t.diagnostic(`${kills} kills at ${calls}, which a whole run makes ${total} times`);
  assert.ok(kills > 0);
};

/** These calls fail from the n-th on, so many times. The child must live on, say so, and lose nothing. */
const fails = async (calls: string, code: string, first: number, times: number): Promise<readonly string[]> => {
  const directory = join(folder, `fails-${calls.split(',')[0] ?? ''}-${code}-${first}-${times}`);
  const when = times === 1 ? `${first}` : `${first}..${first + times - 1}`;
  const told = await runChild(directory, 1, [
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${calls}:error=${code}:when=${when}`,
  ]);
  const what = `${code} from ${calls} number ${first}, ${times} times`;
  assert.equal(
    told.code,
    0,
    `${what}: the child ended with ${String(told.code)} after ${told.lines.slice(-4).join(' | ')}`,
  );
  assert.ok(told.lines.includes('closed'), `${what}: not closed`);
  await judge(directory, 1, told).catch((error: unknown) => {
    throw new Error(what, { cause: error });
  });
  await rm(directory, { recursive: true });
  return told.lines;
};

describe('a queue whose program is killed', needsStrace, () => {
  for (const calls of ['fdatasync,fsync', 'pwrite64,pwritev', 'unlink,unlinkat'])
    test(`has everything that was durable, killed at any ${calls}`, async (t) => {
      await sweep(t, calls);
    });
});

describe('a queue whose disk fails', needsStrace, () => {
  test('loses nothing when one sync or write fails, wherever in the run', async (t) => {
    let runs = 0;
    for (const [calls, code] of [
      ['fdatasync', 'EIO'],
      ['pwrite64', 'ENOSPC'],
      ['pwrite64', 'EIO'],
    ] as const) {
      const total = await countCalls(calls);
      const stride = isLong ? 1 : Math.max(1, total / 2);
      for (let n = 1; n <= total; n = Math.round(n + stride)) {
        await fails(calls, code, n, 1);
        runs += 1;
      }
    }
    t.diagnostic(`${runs} failures`);
  });

  test('says that it is degraded while every sync fails, and durable again when they work', async () => {
    const lines = await fails('fdatasync', 'EIO', 8, 4);
    const states = lines.filter((line) => line === 'degraded' || line === 'durable');
    assert.deepEqual([states[0], states.at(-1)], ['degraded', 'durable'], lines.join(' | '));
  });
});

describe('a disk that is really full', () => {
  const isRoot = process.getuid?.() === 0;
  const canMount = process.platform === 'linux' && isRoot ? false : 'mounting needs root on Linux';
  test('is survived: degraded, nothing lost, durable again when there is room', { skip: canMount }, async () => {
    const place = join(folder, 'small');
    await mkdir(place);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', place]);
    assert.equal(mounted.status, 0, mounted.stderr.toString());
    try {
      await fillUp(place);
    } finally {
      spawnSync('umount', [place]);
    }
  });
});

/** A queue beside a file that takes all the room that is left; then the file goes. */
const fillUp = async (place: string): Promise<void> => {
  const { writeFile } = await import('node:fs/promises');
  const { eventually } = await import('@thrum/actors/testing/eventually');
  const directory = join(place, 'queue');
  const open = (epoch: number) =>
    openDiskQueue({ ...childOptions, ...{ disk: openFileDisk(directory), epoch, clock: systemClock, log: silentLog } });
  const queue = await open(1);
  const append = async (from: number, to: number): Promise<void> => {
    for (let seq = from; seq < to; seq += 1) await queue.append(childRecord(1, seq), undefined);
  };
  await append(0, 8);
  const ballast = join(place, 'ballast');
  await writeFile(ballast, new Uint8Array(1 << 20)).catch(() => undefined);
  let seq = 8;
  for (; seq < 200 && queue.durability().state === 'durable'; seq += 1) await append(seq, seq + 1);
  assert.equal(queue.durability().state, 'degraded', 'a full disk was not noticed');
  assert.match(queue.durability().detail, /full/);
  await append(seq, seq + 4);
  assert.equal((await readAll(queue)).length, seq + 4, 'all of them can still be read');
  await rm(ballast);
  await eventually(() => queue.durability().state === 'durable', { withinMs: 30_000 });
  assert.equal(queue.account().gap, 0);
  await queue.close();
  const again = await open(2);
  assert.deepEqual(
    (await readAll(again)).map((one) => Buffer.from(one.bytes).toString('hex')),
    Array.from({ length: seq + 4 }, (_, at) => Buffer.from(childRecord(1, at).bytes).toString('hex')),
  );
  await again.close();
};
