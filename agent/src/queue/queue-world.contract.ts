/**
 * A durable queue on a simulated disk, with the list it is judged by (`queue-ledger.ts`): what tests do to a queue, step by step, each step
 * followed by a check of everything the queue promises. Deterministic: time, salts and faults come from here.
 */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { memory } from '@thrum/actors/wire/catalogue/memory';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { silentLog } from '@thrum/actors/system/log';
import { fakeClock, type FakeClock } from '@thrum/actors/testing/fake-clock';
import { seededRandom } from '@thrum/actors/testing/random';
import { checkpointBytes } from './checkpoint.ts';
import type { DiskImage } from './crash-states.ts';
import type { Disk } from './disk.ts';
import { openDiskQueue, type DiskQueue } from './disk-queue.ts';
import * as list from './queue-ledger.ts';
import type { Ledger } from './queue-ledger.ts';
import type { Gap, Position, Queue, QueuedBatch, RefusedOf, SeqRange } from './queue.ts';
import type { QueueRules } from './rules.ts';
import { segmentBytes } from './segment-format.ts';
import { simulatedDisk, type SimulatedDisk } from './simulated-disk.ts';

export const host = '0b54e1f2-9c1d-4c0e-8d7a-3f1f6a5b2c4d';
const dictionaries = [dictionaryOf([load]), dictionaryOf([load, memory])] as const;
const all = { maxBatches: 10_000, maxBytes: 1e9 };
const startMs = 1_790_000_000_000;

export type WorldOptions = {
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly seed?: number;
  readonly rules?: Partial<QueueRules>;
};

/** A batch of so many samples; its values say which one it is. */
export const batchOf = (at: Position, timeMs: number, samples: number, dictionary = dictionaries[0]): QueuedBatch => {
  const rows = Array.from({ length: samples }, (_, i) => ({
    ...{ target: 0, fields: [], timeMs, values: [at.epoch, at.seq, i] },
  }));
  const { bytes } = encodeBatch(dictionary, at.epoch, at.seq, rows);
  return { kind: 'batch', ...at, timeMs, dictionary: dictionary.hash, samples, bytes };
};

export const eventsOf = (at: Position, timeMs: number): QueuedBatch => {
  const events = [{ kind: 'start', id: `start-${at.epoch}-${at.seq}`, timeMs, facts: { version: '1.2.3' } }];
  const bytes = Buffer.from(JSON.stringify({ ...at, events }));
  return { kind: 'events', ...at, timeMs, dictionary: '', samples: 0, bytes };
};

export const dictionaryOfBatch = ({ dictionary }: QueuedBatch) => dictionaries.find((one) => one.hash === dictionary);

/** Everything that can be read, asked for in pieces. */
export const readAll = async (queue: Queue, piece = all): Promise<QueuedBatch[]> => {
  const found: QueuedBatch[] = [];
  for (;;) {
    const more = await queue.read(found.at(-1), piece);
    if (more.length === 0) return found;
    found.push(...more);
  }
};

/** Gives out every gap, and says that it is told: for a queue that is thrown away. */
export const drainGaps = (queue: Queue): Gap[] => {
  const gaps: Gap[] = [];
  for (let gap = queue.nextGap(); gap; gap = queue.nextGap()) {
    gaps.push(gap);
    queue.gapIsToldIn(gap.id, { epoch: gap.epoch, seq: -1 });
    assert.ok(gaps.length < 5000, 'gaps without end');
  }
  return gaps;
};

export const openOn = (
  disk: Disk,
  clock: FakeClock,
  epoch: number,
  { maxBytes = 64 * 1024, maxAgeMs = 3_600_000, rules = {} }: WorldOptions = {},
): Promise<DiskQueue> => {
  const random = seededRandom(epoch);
  const randomBytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, () => Math.floor(random() * 256));
  return openDiskQueue({ disk, host, epoch, maxBytes, maxAgeMs, clock, log: silentLog, randomBytes, rules });
};

/** What a queue opened on these files would say, without touching them. */
export const lookAt = async (
  image: DiskImage,
  options: WorldOptions & { wallMs: number; epoch: number },
): Promise<list.Found & { readonly gaps: readonly Gap[]; readonly queue: DiskQueue; readonly sim: SimulatedDisk }> => {
  const sim = simulatedDisk({ image });
  const queue = await openOn(sim.disk, fakeClock(options.wallMs), options.epoch, options);
  const records = await readAll(queue);
  const account = queue.account();
  return { records, account, gaps: drainGaps(queue), queue, sim };
};

export type World = {
  readonly sim: SimulatedDisk;
  readonly clock: FakeClock;
  readonly ledger: () => Ledger;
  readonly queue: () => DiskQueue;
  readonly epoch: () => number;
  append(samples: number, options?: { words?: 0 | 1; settle?: boolean }): Promise<void>;
  appendEvents(): Promise<void>;
  ack(epoch: number, ranges: readonly SeqRange[], refused?: readonly RefusedOf[]): Promise<void>;
  /** As the agent does it: an event of the oldest gap, and the queue is told so. */
  takeGap(options?: { tell?: boolean }): Promise<void>;
  advance(ms: number): Promise<void>;
  settle(): Promise<void>;
  /** Judges the running queue. */
  check(): Promise<void>;
  /** Ends the process of the queue (`power`: and the machine), or stops it in order, and opens what is there; judges that. */
  reopen(how: 'kill' | 'power' | 'close'): Promise<void>;
};

export const openWorld = async (options: WorldOptions = {}): Promise<World> => {
  const { maxBytes = 64 * 1024, seed = 1 } = options;
  const clock = fakeClock(startMs);
  const sim = simulatedDisk({ random: seededRandom(seed) });
  let ledger = list.emptyLedger();
  let epoch = 1;
  let seq = 0;
  let queue = await openOn(sim.disk, clock, epoch, options);
  let readable = new Set<string>();
  let pending = 0;

  /** Lets everything happen that happens by itself; time passes only while an append waits for it. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 3 || (pending > 0 && turn < 12); turn += 1) await nextTurn();
    for (let waited = 0; pending > 0; waited += 1) {
      assert.ok(waited < 400, 'an append never returned');
      clock.advance(50);
      await nextTurn();
      await nextTurn();
    }
  };
  const append = (record: QueuedBatch): void => {
    const mine = epoch;
    list.offer(ledger, record);
    pending += 1;
    void queue.append(record, dictionaryOfBatch(record)).then(
      () => {
        if (mine !== epoch) return;
        pending -= 1;
        list.setState(ledger, record, queue.durability().state === 'durable' ? 'safe' : 'kept');
      },
      (error: unknown) => {
        throw error;
      },
    );
  };
  const place = (): Position => ({ epoch, seq: seq++ });
  const check = async (): Promise<void> => {
    await settle();
    if (queue.durability().state === 'durable') list.allSafe(ledger);
    let records = await readAll(queue);
    const queued = (): number => records.reduce((sum, { samples }) => sum + samples, 0);
    // A file that could not be opened or read just now is asked again by whoever reads.
    for (let again = 0; again < 12 && queued() < queue.account().queued; again += 1) records = await readAll(queue);
    readable = new Set(records.map(list.nameOf));
    list.judge(ledger, { records, account: queue.account(), gaps: undefined }, { crashed: false });
    const most = maxBytes + Math.min(segmentBytes, Math.max(maxBytes / 8, 8192)) + 2 * checkpointBytes;
    assert.ok(sim.usedBytes() <= most, `I6: ${sim.usedBytes()} bytes are used, at most ${most} should be`);
  };

  return {
    ...{ sim, clock, settle, check },
    ledger: () => ledger,
    queue: () => queue,
    epoch: () => epoch,
    append: async (samples, { words = 0, settle: waits = true } = {}) => {
      clock.advance(1);
      append(batchOf(place(), clock.wallMs(), samples, dictionaries[words]));
      if (waits) await settle();
    },
    appendEvents: async () => {
      clock.advance(1);
      append(eventsOf(place(), clock.wallMs()));
      await settle();
    },
    ack: async (of, ranges, refused = []) => {
      await check(); // what is readable is what can go
      const expected = list.acknowledge(ledger, readable, of, ranges, refused);
      const went = queue.ack(of, ranges, refused);
      // Of a segment that has to be read first they go a little later.
      assert.ok(went <= expected, `an acknowledgement let ${went} records go, of ${expected}`);
      await settle();
    },
    takeGap: async ({ tell = true } = {}) => {
      const gap = queue.nextGap();
      if (!gap) return;
      list.giveOut(ledger, gap);
      await settle();
      assert.deepEqual(queue.nextGap(), gap, 'I8: a gap changed after it was given out');
      clock.advance(1);
      const at = place();
      append(eventsOf(at, clock.wallMs()));
      if (tell) {
        queue.gapIsToldIn(gap.id, at);
        ledger.told.set(gap.id, at);
      }
      await settle();
    },
    advance: async (ms) => {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(Math.min(left, 1000));
        await nextTurn();
      }
      await settle();
    },
    reopen: async (how) => {
      if (how === 'close') {
        await settle();
        const end = { isClosed: false };
        const closing = queue.close().finally(() => (end.isClosed = true));
        for (let turn = 0; turn < 400 && !end.isClosed; turn += 1) {
          await nextTurn();
          if (turn > 3) clock.advance(50);
        }
        assert.ok(end.isClosed, 'close never returned');
        await closing;
        if (queue.durability().state === 'durable') list.allSafe(ledger);
      }
      if (how === 'power') sim.powerFailure();
      else sim.kill();
      sim.heal();
      epoch += 1;
      seq = 0;
      pending = 0;
      clock.advance(5);
      const wallMs = clock.wallMs();
      const found = await lookAt(sim.image(), { ...options, wallMs, epoch });
      const { gapped, lost } = list.judge(ledger, found, { crashed: true });
      const known = Math.max(0, ...found.records.map((one) => one.epoch));
      const { lastEpoch = 0 } = found.queue.found;
      assert.ok(lastEpoch >= known, `I9: lastEpoch is ${lastEpoch}`);
      const next = list.copyLedger(ledger);
      for (const { record } of lost) next.entries.delete(list.nameOf(record));
      for (const entry of gapped) next.entries.set(list.nameOf(entry.record), { ...entry, state: 'safe' });
      for (const record of found.records)
        next.entries.set(list.nameOf(record), { record, state: 'safe', acked: undefined });
      for (const gap of found.gaps) if (next.given.has(gap.id)) list.giveOut(next, gap);
      ledger = next;
      queue = await openOn(sim.disk, clock, epoch, options);
      assert.equal(queue.found.batches, found.records.length, 'batches found at opening');
    },
  };
};
