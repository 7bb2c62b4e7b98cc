/**
 * Whatever is done to the queue, in any order: it keeps its promises (`queue-ledger.ts`) after every step. THRUM_FUZZ_INPUTS asks for so many
 * sequences instead of the everyday few.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzzInputs, fuzzSeed } from '@thrum/actors/testing/fuzz';
import { seededRandom } from '@thrum/actors/testing/random';
import * as list from './queue-ledger.ts';
import { drainGaps, openWorld, readAll, type World } from './queue-world.contract.ts';
import type { DiskCall } from './simulated-disk.ts';

type Step =
  | { do: 'append'; samples: number; words: 0 | 1; settle: boolean }
  | { do: 'events' | 'gap' | 'lookAtGap' | 'freeSpace' | 'heal' | 'settle' }
  | { do: 'ack'; epochsBack: number; from: number; count: number; refused: number }
  | { do: 'advance'; ms: number }
  | { do: 'reopen'; how: 'kill' | 'power' | 'close' }
  | { do: 'crashInside'; how: 'kill' | 'power'; samples: number; turns: number }
  | { do: 'fill'; bytesFree: number }
  | { do: 'fail'; op: DiskCall; code: string; times: number; after: number }
  | { do: 'damage'; file: number; at: number; bit: number };

const how = fc.constantFrom('kill' as const, 'power' as const);
const samples = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 60 }));
const words = fc.constantFrom(0 as const, 0 as const, 1 as const);
const ordinary: fc.WeightedArbitrary<Step>[] = [
  { weight: 12, arbitrary: fc.record({ do: fc.constant('append' as const), samples, words, settle: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('events', 'gap', 'lookAtGap', 'settle') }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      epochsBack: fc.constantFrom(0, 0, 0, 1, 2),
      from: fc.integer({ min: 0, max: 30 }),
      count: fc.integer({ min: 1, max: 20 }),
      refused: fc.constantFrom(0, 0, 1, 2),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(60_000, 400_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reopen' as const), how: fc.constantFrom('kill', 'power', 'close') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant('crashInside' as const), how, samples },
      turns: fc.integer({ min: 0, max: 40 }),
    }),
  },
];
const failing: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fill' as const), bytesFree: fc.integer({ min: 0, max: 6000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('freeSpace', 'heal') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      op: fc.constantFrom<DiskCall>('sync', 'write', 'create', 'remove', 'syncDirectory', 'open', 'close', 'truncate'),
      code: fc.constantFrom('EIO', 'ENOSPC', 'EMFILE'),
      times: fc.constantFrom(1, 1, 2, 5),
      after: fc.integer({ min: 0, max: 3 }),
    }),
  },
];
const damaging: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('damage' as const),
      file: fc.nat(20),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      bit: fc.nat(7),
    }),
  },
];

const damage = ({ sim, ledger }: World, { file, at, bit }: Extract<Step, { do: 'damage' }>): void => {
  const files = [...sim.image()].filter(([, bytes]) => bytes.length > 0);
  const [name, bytes] = files[file % files.length] ?? [];
  if (name === undefined || !bytes) return;
  // Most of a checkpoint's file is never read: its beginning is what to hit.
  const place = Math.floor(at * (name.startsWith('checkpoint') ? Math.min(bytes.length, 400) : bytes.length));
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
  sim.put(name, bytes);
  ledger().isDamaged = true;
};

const perform = async (world: World, step: Step): Promise<void> => {
  const { sim } = world;
  switch (step.do) {
    case 'append':
      return world.append(step.samples, step);
    case 'events':
      return world.appendEvents();
    case 'gap':
    case 'lookAtGap':
      return world.takeGap({ tell: step.do === 'gap' });
    case 'settle':
      return world.settle();
    case 'ack': {
      const of = Math.max(1, world.epoch() - step.epochsBack);
      const refused = step.refused === 0 ? [] : [{ seq: step.from, samples: step.refused }];
      return world.ack(of, [[step.from, step.from + step.count - 1]], refused);
    }
    case 'advance':
      return world.advance(step.ms);
    case 'reopen':
      return world.reopen(step.how);
    case 'crashInside':
      await world.append(step.samples, { settle: false });
      await world.append(1, { settle: false });
      for (let turn = 0; turn < step.turns; turn += 1) await Promise.resolve();
      return world.reopen(step.how);
    case 'fill':
      sim.fill(step.bytesFree);
      return;
    case 'freeSpace':
      sim.freeSpace();
      return;
    case 'heal':
      sim.heal();
      return;
    case 'fail':
      sim.failNext(step);
      return;
    case 'damage':
      damage(world, step);
  }
};

/** The last word: with a disk that works again, everything is told once more, and every gap is known. */
const finish = async (world: World): Promise<void> => {
  world.sim.heal();
  world.sim.freeSpace();
  await world.advance(120_000);
  await world.append(1);
  await world.check();
  assert.equal(world.queue().durability().state, 'durable', 'degraded although the disk works again');
  await world.reopen('close');
  const queue = world.queue();
  const gaps = drainGaps(queue);
  for (const gap of gaps) list.giveOut(world.ledger(), gap);
  list.judge(world.ledger(), { records: await readAll(queue), account: queue.account(), gaps }, { crashed: false });
};

const run = async (steps: readonly Step[], maxBytes: number, seed: number): Promise<void> => {
  const world = await openWorld({ maxBytes, seed });
  for (const step of steps) {
    await perform(world, step);
    if (!('settle' in step) || step.settle) await world.check();
  }
  await finish(world);
};

const property = (kinds: fc.WeightedArbitrary<Step>[], maxBytes: number) =>
  fc.asyncProperty(
    fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 60, size: 'max' }),
    fc.nat(1_000_000),
    (steps, seed) => run(steps, maxBytes, seed),
  );

const runs = fuzzInputs(40);
const settings = { numRuns: runs, seed: fuzzSeed(), endOnFailure: process.env['THRUM_NO_SHRINK'] === '1' };

test('under power failures and kills at any moment every promise holds', async () => {
  await fc.assert(property(ordinary, 64 * 1024), settings);
});
test('with a limit so small that records are given up all the time every promise holds', async () => {
  await fc.assert(property(ordinary, 16 * 1024), settings);
});
test('while the disk is full or fails, and after it works again, every promise holds', async () => {
  await fc.assert(property([...ordinary, ...failing], 32 * 1024), settings);
});
test('with bits flipped under it the queue says what is gone and gives back nothing that was not appended', async () => {
  await fc.assert(property([...ordinary, ...damaging], 32 * 1024), settings);
});

test('the model notices a queue that is wrong', async () => {
  // Without this nobody knows that a promise would be missed: a list that is wrong on purpose must be refused.
  const world = await openWorld();
  const random = seededRandom(1);
  for (let i = 0; i < 10; i += 1) await world.append(1 + Math.floor(random() * 3));
  await world.check();
  const ledger = list.copyLedger(world.ledger());
  const [name, entry] = [...ledger.entries][4] ?? assert.fail();
  const found = { records: await readAll(world.queue()), account: world.queue().account(), gaps: [] };
  ledger.entries.set(name, { ...entry, acked: 0 });
  assert.throws(() => list.judge(ledger, found, { crashed: false }), /I4/);
  ledger.entries.delete(name);
  assert.throws(() => list.judge(ledger, found, { crashed: false }), /I2/);
  const without = { ...found, records: found.records.slice(1) };
  assert.throws(() => list.judge(world.ledger(), without, { crashed: true }), /I1/);
  assert.throws(
    () => list.judge(world.ledger(), { ...found, records: found.records.toReversed() }, { crashed: true }),
    /I3/,
  );
  const account = { ...found.account, produced: found.account.produced + 1, queued: found.account.queued + 1 };
  assert.throws(() => list.judge(world.ledger(), { ...found, account }, { crashed: false }), /I7/);
});
