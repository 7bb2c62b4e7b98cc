/**
 * Whatever an ingest node says, damaged in every way: the uplink goes on, lets go of nothing that was not sent, and takes every message or counts
 * it as nonsense. THRUM_FUZZ_INPUTS says how many are tried.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import type { Log } from '@thrum/actors/system/log';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { fuzz, fuzzInputs, fuzzSeed } from '@thrum/actors/testing/fuzz';
import { mutateJson } from '@thrum/actors/testing/mutations';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { refuse } from '@thrum/actors/wire/refusal';
import { createMemoryQueue } from '../queue/memory-queue.ts';
import { createRecent } from './recent.ts';
import { scriptedConnection, settle } from './scripted-connection.contract.ts';
import { startUplink } from './uplink-actor.ts';

const everyday = 5000;
const epoch = 7;
const dictionary = dictionaryOf([load]);
const welcome = { ok: true, protocol: 3, node: 'n', window: 16, backlog: 4, needDictionary: false, serverMs: 1 };
const good: readonly (readonly [string, unknown])[] = [
  ['welcome', welcome],
  ['welcome', refuse('try-later', 'full')],
  ['ack', { epoch, ranges: [[0, 3]], refused: [{ seq: 1, code: 'time-past', samples: 1, detail: 'd' }] }],
  ['ack', { epoch: 1, ranges: [[0, 1_000_000]], refused: [] }],
  ['busy', { epoch, seq: 3, afterMs: 500 }],
  ['pace', { backlog: 3 }],
  ['refused', refuse('leaving')],
  ['recent', { sinceMs: 0 }],
];

const told: string[] = [];
const say = (_fields: object, message: string): void => {
  if (told.length < 100) told.push(message);
};
const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log };

it('lets no answer of an ingest node end it, hang it, or make it forget what was not sent', async () => {
  const seed = fuzzSeed();
  const mutate = mutateJson({ seed });
  const line = scriptedConnection();
  Object.assign(line.welcome, welcome);
  const queue = createMemoryQueue({ maxBytes: 1e9 });
  const clock = fakeClock();
  const host = randomUUID();
  const machine = { os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 1, virtual: '' };
  const facts = { token: 't', host, boot: host, epoch, agentVersion: '0', periodMs: 1000, cluster: 'c', labels: {} };
  const recent = createRecent(dictionary.hash, 64 * 1024);
  const uplink = startUplink({
    ...{ urls: ['http://nowhere'], ready: Promise.resolve(), dictionary, queue, recent, clock, log },
    facts: () => ({ ...facts, machine: { ...machine, name: 'h' } }),
    random: () => 0.5,
    connect: (url, listener) => {
      for (const one of line.sent()) everSent.add(one.split(' ')[1] ?? '');
      return line.connect(url, listener);
    },
  });
  const everSent = new Set<string>();
  let recorded = 0;
  const record = async (of: number, seq: number): Promise<void> => {
    const { bytes } = encodeBatch(dictionary, of, seq, [{ target: 0, fields: [], timeMs: seq, values: [1, 2, 3] }]);
    const batch = { kind: 'batch' as const, epoch: of, seq, timeMs: seq, dictionary: dictionary.hash, samples: 1 };
    await queue.append({ ...batch, bytes }, dictionary);
    recent.add(bytes, seq);
    if (of === epoch) uplink.offer({ ...batch, bytes });
  };
  for (let seq = 0; seq < 2000; seq += 1) await record(1, seq);

  /** With good answers it is always open again in the end, which is what an attacker could not keep it from. */
  const open = async (): Promise<void> => {
    line.welcome = { ...welcome };
    for (let minute = 0; minute < 10 && !uplink.isOpen(); minute += 1) {
      clock.advance(70_000);
      await settle();
    }
    assert.ok(uplink.isOpen());
  };

  await fuzz({
    name: 'answers to an agent',
    inputs: fuzzInputs(everyday),
    seed,
    next: (number): readonly [string, unknown] => {
      const [event, value] = good[number % good.length] ?? ['pace', undefined];
      return [event, mutate(value)];
    },
    take: async ([event, value]) => {
      await open();
      if (recorded % 4 === 0) await record(epoch, recorded / 4);
      recorded += 1;
      const { nonsense, acknowledged, busy } = uplink.counters;
      if (event === 'welcome') {
        // What it answers is any value; the connection in between is typed as an object only for tests that mean well.
        line.welcome = value as Record<string, unknown>;
        line.lose();
        clock.advance(40_000);
      } else line.say(event, value, () => undefined);
      await settle();
      clock.advance(300);
      const { counters } = uplink;
      assert.ok(Object.values(counters).every((count) => Number.isSafeInteger(count) && count >= 0));
      if (counters.nonsense > nonsense) return `${event}: nonsense`;
      if (!uplink.isOpen()) return `${event}: away`;
      if (counters.acknowledged > acknowledged) return `${event}: forgotten`;
      return counters.busy > busy ? `${event}: again` : `${event}: taken`;
    },
  });

  for (const one of line.sent()) everSent.add(one.split(' ')[1] ?? '');
  const left = await queue.read(undefined, { maxBatches: 1e9, maxBytes: 1e12 });
  const kept = new Set(left.map((one) => `${one.epoch}/${one.seq}`));
  for (let seq = 0; seq < 2000; seq += 1)
    assert.ok(kept.has(`1/${seq}`) || everSent.has(`1/${seq}`), `1/${seq} went and was never sent`);
  queue.ack(1, [[0, 1e9]]);
  queue.ack(epoch, [[0, 1e9]]);
  const stopped = uplink.stop();
  await settle();
  clock.advance(5000);
  await stopped;
  assert.equal(clock.pending(), 0);
});
