import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync, type StatsFs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { load } from '@thrum/actors/wire/catalogue/load';
import { memory } from '@thrum/actors/wire/catalogue/memory';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { decodeBatch, encodeBatch } from '@thrum/actors/wire/batch';
import { silentLog } from '@thrum/actors/system/log';
import type { AgentFigures, Collector, CollectorKind, Sources } from './collector.ts';
import { collectors } from './collectors.ts';
import { filesystemOnLinux } from './filesystem.ts';
import { openLinuxSources } from './linux-sources.ts';
import { startRounds } from './round.ts';

const figures: AgentFigures = {
  tickMs: 1,
  valuesCollected: 0,
  valuesLeftOut: 0,
  collectorFailures: 0,
  queueBatches: 0,
  queueBytes: 0,
  queueDropped: 0,
  batchesSent: 0,
  batchesResent: 0,
  batchesAcknowledged: 0,
  samplesRefused: 0,
  reconnects: 0,
  samplesProduced: 0,
  samplesStored: 0,
  samplesGap: 0,
  samplesQueued: 0,
  queueDegraded: 0,
  queueAgeSeconds: 0,
  samplesRefusedTotal: 0,
};
const nowhere: Sources = {
  linux: undefined,
  elsewhere: () => Promise.reject(new Error('not on this system')),
  agentFigures: () => figures,
};
const kind = (target: CollectorKind['target'], collector: Collector | undefined): CollectorKind => ({
  target,
  start: () => collector,
});
const at = (n: number): { timeMs: number; monotonicMs: number; deadlineMs: number } => ({
  timeMs: 1000 * n,
  monotonicMs: 1000 * n,
  deadlineMs: 20,
});

/** A /proc of its own, as 6.18 writes it. */
const procCopy = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-proc-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(new URL('fixtures/linux-6.18', import.meta.url), directory, { recursive: true });
  return directory;
};

describe('a round of collectors', () => {
  it('keeps the samples of the others when one throws, also after it handed over something', async () => {
    const rounds = startRounds(
      [
        kind(load, {
          collect: (_tick, add) => {
            add([], [1, 2, 3]);
            throw new Error('half way');
          },
        }),
        kind(memory, {
          collect: (_tick, add) =>
            add(
              [],
              memory.metrics.map(() => 5),
            ),
        }),
      ],
      nowhere,
      silentLog,
    );
    const samples = await rounds.run(at(1));
    assert.deepEqual(
      samples.map((sample) => sample.target),
      [1],
    );
    assert.equal(rounds.counters.failures, 1);
    assert.equal(rounds.latest('memory', [], 'total'), 5);
    assert.equal(rounds.latest('load', [], 'load1'), undefined);
  });

  it('goes on without one that does not end, does not ask it again meanwhile, and takes nothing of it later', async () => {
    let asked = 0;
    let end: (() => void) | undefined;
    const slow: Collector = {
      collect: async (_tick, add) => {
        asked += 1;
        await new Promise<void>((resolve) => (end = resolve));
        add([], [asked, 0, 0]);
      },
    };
    const rounds = startRounds([kind(load, slow)], nowhere, silentLog);
    assert.deepEqual(await rounds.run(at(1)), []);
    assert.deepEqual(await rounds.run(at(2)), []);
    assert.deepEqual([asked, rounds.counters.failures], [1, 2]);
    end?.();
    await new Promise(setImmediate);
    const running = rounds.run(at(3));
    end?.();
    const samples = await running;
    assert.equal(samples.length, 1);
    assert.equal(samples[0]?.timeMs, 3000);
    assert.equal(samples[0].values[0], 2);
  });

  it('counts a part that could not be measured and keeps the rest', async () => {
    const rounds = startRounds(
      [
        kind(load, {
          collect: (tick, add) => {
            add([], [1, 1, 1]);
            tick.partly('one mount hangs');
          },
        }),
      ],
      nowhere,
      silentLog,
    );
    assert.equal((await rounds.run(at(1))).length, 1);
    assert.equal(rounds.counters.failures, 1);
  });

  it('takes 256 instances of a target and counts the rest', async () => {
    const rounds = startRounds(
      [
        kind(load, {
          collect: (_tick, add) => {
            for (let i = 0; i < 300; i += 1) add([String(i)], [1, undefined, 1]);
          },
        }),
      ],
      nowhere,
      silentLog,
    );
    assert.equal((await rounds.run(at(1))).length, 256);
    assert.equal(rounds.counters.overLimit, 44);
    assert.equal(rounds.counters.values, 512);
  });

  it('leaves a target out that the machine does not have', async () => {
    const rounds = startRounds([kind(load, undefined)], nowhere, silentLog);
    assert.deepEqual(await rounds.run(at(1)), []);
    assert.equal(rounds.counters.failures, 0);
  });
});

describe('the collectors on a /proc', () => {
  it('measure every target of the list, and the samples fit the dictionary', async (t) => {
    const linux = openLinuxSources({ procRoot: procCopy(t) });
    const rounds = startRounds(collectors, { ...nowhere, linux }, silentLog);
    t.after(() => rounds.close());
    t.after(() => linux.close());
    await rounds.run({ ...at(1), deadlineMs: 1000 });
    writeFileSync(join(linux.procRoot, 'stat'), 'cpu  999999 9999 99999 999999 9999 0 9999 999 0 0\n');
    const samples = await rounds.run({ ...at(2), deadlineMs: 1000 });
    const measured = new Set(samples.map((sample) => collectors[sample.target]?.target.name));
    assert.deepEqual([...measured].sort(), collectors.map(({ target }) => target.name).sort());
    const dictionary = dictionaryOf(collectors.map(({ target }) => target));
    const { bytes, leftOut } = encodeBatch(dictionary, 1, 1, samples);
    assert.equal(leftOut, 0);
    const decoded = decodeBatch(bytes, dictionary);
    assert.ok(decoded.ok);
    assert.equal(decoded.batch.shape.series.length, samples.length);
    assert.equal(rounds.counters.failures, 0);
  });

  it('lose only what a missing or broken file was needed for, and have it back when the file is', async (t) => {
    const procRoot = procCopy(t);
    rmSync(join(procRoot, 'pressure'), { recursive: true });
    rmSync(join(procRoot, 'meminfo'));
    writeFileSync(join(procRoot, 'diskstats'), 'what is this\n');
    const linux = openLinuxSources({ procRoot });
    const rounds = startRounds(collectors, { ...nowhere, linux }, silentLog);
    t.after(() => rounds.close());
    t.after(() => linux.close());
    const names = async (n: number): Promise<string[]> => [
      ...new Set(
        (await rounds.run({ ...at(n), deadlineMs: 1000 })).map((one) => collectors[one.target]?.target.name ?? ''),
      ),
    ];
    const without = await names(1);
    for (const name of ['host', 'load', 'network', 'filesystem', 'agent']) assert.ok(without.includes(name), name);
    for (const name of ['memory', 'disk', 'pressure']) assert.ok(!without.includes(name), name);
    assert.equal(rounds.counters.failures, 2, 'memory and disk; there is no pressure on this machine');
    writeFileSync(join(procRoot, 'meminfo'), 'MemTotal: 10 kB\nMemFree: 4 kB\n');
    assert.ok((await names(2)).includes('memory'));
  });
});

describe('filesystems', () => {
  const stats = Object.assign(statfsSync('/'), { bsize: 1, blocks: 10, bfree: 5, bavail: 5, files: 0, ffree: 0 });
  const mountinfo = (lines: readonly string[]): string =>
    lines.map((line, i) => `${i} 0 0:${i} / ${line.replace(' ', ' rw - ')} server rw\n`).join('');

  it('that hang cost one tick 50 ms, are not asked again, and never hold more than two threads', async (t) => {
    const procRoot = mkdtempSync(join(tmpdir(), 'thrum-proc-'));
    t.after(() => rmSync(procRoot, { recursive: true }));
    mkdirSync(join(procRoot, 'self'));
    const remote = ['/a nfs4', '/b nfs4', '/c nfs4', '/d nfs4'];
    writeFileSync(join(procRoot, 'self/mountinfo'), mountinfo(['/ ext4', ...remote]));
    const asked: string[] = [];
    const answers = new Map<string, (value: StatsFs) => void>();
    const linux = openLinuxSources({ procRoot });
    t.after(() => linux.close());
    const collector = filesystemOnLinux(linux, (path) => {
      asked.push(path);
      return path === '/' ? Promise.resolve(stats) : new Promise((resolve) => answers.set(path, resolve));
    });
    const problems: string[] = [];
    const collect = async (monotonicMs: number): Promise<string[]> => {
      const found: string[] = [];
      await collector.collect({ monotonicMs, partly: (problem) => problems.push(problem) }, (fields) =>
        found.push(fields[0] ?? ''),
      );
      return found;
    };
    assert.deepEqual(await collect(1), ['/']);
    assert.deepEqual(await collect(2), ['/']);
    assert.deepEqual(asked.sort(), ['/', '/', '/a', '/b']);
    assert.match(problems[0] ?? '', /\/a, \/b/);
    // One server is back: what it answers to the old question is nobody's, the next tick has it.
    answers.get('/a')?.(stats);
    await new Promise(setImmediate);
    const running = collect(3);
    answers.get('/a')?.(stats);
    assert.ok((await running).includes('/a'));
    assert.ok(!asked.includes('/d') || asked.includes('/c'), 'the others get their turn');
  });
});
