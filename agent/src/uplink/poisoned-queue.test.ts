/** The uplink and a queue with a record that ingest answers by closing the connection, and one whose dictionary nobody has. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import { silentLog } from '@thrum/actors/system/log';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { memory } from '@thrum/actors/wire/catalogue/memory';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { refuse } from '@thrum/actors/wire/refusal';
import { createMemoryQueue } from '../queue/memory-queue.ts';
import type { QueuedBatch } from '../queue/queue.ts';
import { createRecent } from './recent.ts';
import { scriptedConnection, settle } from './scripted-connection.contract.ts';
import { startUplink } from './uplink-actor.ts';

const dictionary = dictionaryOf([load]);
const machine = { name: 'h', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 1, virtual: '' };
const host = randomUUID();
const batch = (epoch: number, seq: number, words = dictionary): QueuedBatch => {
  const { bytes } = encodeBatch(words, epoch, seq, [{ target: 0, fields: [], timeMs: seq, values: [seq, 0, 0] }]);
  return { kind: 'batch', epoch, seq, timeMs: seq, dictionary: words.hash, samples: 1, bytes };
};

const rig = (t: TestContext, before: readonly QueuedBatch[]) => {
  const line = scriptedConnection();
  const clock = fakeClock();
  const queue = createMemoryQueue({ maxBytes: 1e8 });
  for (const one of before) void queue.append(one, one.dictionary === dictionary.hash ? dictionary : undefined);
  const facts = { token: 't', host, boot: host, epoch: 7, agentVersion: '0', periodMs: 1000, cluster: 'c' };
  const uplink = startUplink({
    urls: ['http://nowhere'],
    ready: Promise.resolve(),
    facts: () => ({ ...facts, labels: {}, machine }),
    recent: createRecent(dictionary.hash),
    ...{ dictionary, queue, clock, log: silentLog, random: () => 0.5, connect: line.connect },
  });
  t.after(async () => {
    for (const epoch of [1, 7]) queue.ack(epoch, [[0, 1e9]]);
    const stopped = uplink.stop();
    await settle();
    clock.advance(5000);
    await stopped;
  });
  let live = 0;
  let answered = 0;
  let refusals = 0;
  /** Measures for so long, with an ingest that reads in order, acknowledges and closes the connection over one record. */
  const live1s = async (poison: string, isMeasuring = true): Promise<void> => {
    clock.advance(1000);
    await settle();
    if (isMeasuring) {
      const one = batch(7, live);
      live += 1;
      await queue.append(one, dictionary);
      uplink.offer(one);
      await settle();
    }
    for (let round = 0; round < 4; round += 1) {
      const sent = line.sent();
      if (sent.length < answered) answered = 0;
      const fresh = sent.slice(answered);
      answered = sent.length;
      const bad = fresh.findIndex((name) => name.endsWith(poison));
      // What came with the bad one is not answered any more: the connection is closed at once.
      if (bad >= 0) {
        refusals += 1;
        answered = 0;
        line.emitted.length = 0;
        line.say('refused', refuse('malformed', 'batch: version 9'));
        return settle();
      }
      for (const name of fresh) {
        const [epoch, seq] = (name.split(' ')[1] ?? '').split('/').map(Number);
        line.say('ack', { epoch, ranges: [[seq, seq]], refused: [] });
      }
      await settle();
    }
  };
  return { line, queue, uplink, clock, live1s, refusals: () => refusals };
};

it('A record that ingest cannot read is given up after a while, alone and with exactly its samples, and all behind it arrives', async (t) => {
  const old = Array.from({ length: 40 }, (_, seq) => batch(1, seq));
  const r = rig(t, old);
  await settle();
  r.clock.advance(0);
  await settle();
  for (let second = 0; second < 900 && !r.queue.nextGap(); second += 1) await r.live1s(' 1/20');
  const gap = r.queue.nextGap();
  assert.deepEqual([gap?.epoch, gap?.firstSeq, gap?.lastSeq, gap?.samples, gap?.reason], [1, 20, 20, 1, 'unreadable']);
  assert.ok(r.refusals() >= 3, 'not at the first refusal');
  for (let second = 0; second < 200 && r.queue.size().batches > 0; second += 1) await r.live1s(' 1/20');
  const { produced, stored, refused, gap: missing } = r.queue.account();
  assert.deepEqual({ stored, refused, missing }, { stored: produced - 1, refused: 0, missing: 1 });
});

it('A record that ingest cannot read is found at the head of a queue into which nothing new comes', async (t) => {
  const r = rig(
    t,
    Array.from({ length: 5 }, (_, seq) => batch(1, seq)),
  );
  await settle();
  for (let second = 0; second < 300 && r.queue.size().batches > 0; second += 1) await r.live1s(' 1/0', false);
  const gap = r.queue.nextGap();
  assert.deepEqual([gap?.firstSeq, gap?.lastSeq, gap?.reason], [0, 0, 'unreadable']);
  assert.deepEqual(r.queue.account(), { produced: 5, stored: 4, refused: 0, gap: 1, queued: 0 });
});

it('An ingest that reads nothing at all takes nothing from a queue', async (t) => {
  const r = rig(
    t,
    Array.from({ length: 5 }, (_, seq) => batch(1, seq)),
  );
  await settle();
  for (let second = 0; second < 900; second += 1) await r.live1s('', false);
  assert.equal(r.queue.nextGap(), undefined);
  assert.equal(r.queue.account().queued, 5);
  assert.ok(r.refusals() > 10);
});

it('A record whose dictionary is damaged everywhere is given up, and is not a riddle in the queue', async (t) => {
  const r = rig(t, [batch(1, 0), batch(1, 1, dictionaryOf([load, memory])), batch(1, 2)]);
  await settle();
  r.clock.advance(0);
  await settle();
  for (let second = 0; second < 5; second += 1) await r.live1s('none');
  assert.deepEqual([r.queue.nextGap()?.firstSeq, r.queue.nextGap()?.reason], [1, 'damaged']);
  assert.equal(r.queue.account().queued, 0);
});
