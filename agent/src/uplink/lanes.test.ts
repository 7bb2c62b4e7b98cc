/** What the uplink sends when, over a connection without a network: live before backlog, the pace of ingest, events, acknowledgements. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { Log } from '@thrum/actors/system/log';
import { fakeClock, type FakeClock } from '@thrum/actors/testing/fake-clock';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { memory } from '@thrum/actors/wire/catalogue/memory';
import { dictionaryOf, type Dictionary } from '@thrum/actors/wire/dictionary';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import { createMemoryQueue } from '../queue/memory-queue.ts';
import type { Queue, QueuedBatch } from '../queue/queue.ts';
import { createRecent } from './recent.ts';
import type { UplinkRules } from './rules.ts';
import { scriptedConnection, settle, type ScriptedConnection } from './scripted-connection.contract.ts';
import type { Uplink } from './uplink.ts';
import { startUplink } from './uplink-actor.ts';

const dictionary = dictionaryOf([load]);
const older = dictionaryOf([load, memory]);
const quiet: Log = {
  ...{ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  child: () => quiet,
};
const host = randomUUID();
const machine = { name: 'h', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 1, virtual: '' };
const epoch = 7;

const batch = (seq: number, of = epoch, words: Dictionary = dictionary): QueuedBatch => {
  const { bytes } = encodeBatch(words, of, seq, [{ target: 0, fields: [], timeMs: seq, values: [seq, 0, 0] }]);
  return { kind: 'batch', epoch: of, seq, timeMs: seq, dictionary: words.hash, samples: 1, bytes };
};
const events = (seq: number): QueuedBatch => {
  const message = { epoch, seq, events: [{ kind: 'gap', id: `gap-${seq}`, timeMs: 1, facts: {} }] };
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  return { kind: 'events', epoch, seq, timeMs: seq, dictionary: '', samples: 0, bytes };
};

type Rig = {
  readonly line: ScriptedConnection;
  readonly queue: Queue;
  readonly uplink: Uplink;
  readonly clock: FakeClock;
  record(record: QueuedBatch, words?: Dictionary): Promise<void>;
  ack(...seqs: number[]): void;
  again(): Promise<void>;
};

/** `before`: what lies in the queue from an earlier start. */
const rig = async (
  t: TestContext,
  options: { welcome?: object; before?: readonly QueuedBatch[]; words?: Dictionary; rules?: Partial<UplinkRules> } = {},
): Promise<Rig> => {
  const line = scriptedConnection();
  Object.assign(line.welcome, options.welcome);
  const queue = createMemoryQueue({ maxBytes: 1e8 });
  for (const one of options.before ?? []) await queue.append(one, options.words ?? dictionary);
  const clock = fakeClock();
  const facts = { token: 't', host, boot: host, epoch, agentVersion: '0', periodMs: 1000, cluster: 'c' };
  const uplink = startUplink({
    urls: ['http://nowhere'],
    ready: Promise.resolve(),
    facts: () => ({ ...facts, labels: {}, machine }),
    recent: createRecent(dictionary.hash),
    ...{ dictionary, queue, clock, log: quiet, random: () => 0.5 },
    connect: line.connect,
    ...(options.rules && { rules: options.rules }),
  });
  t.after(async () => {
    for (const one of [1, epoch]) queue.ack(one, [[0, 1e9]]);
    const stopped = uplink.stop();
    await settle();
    clock.advance(5000);
    await stopped;
    assert.equal(clock.pending(), 0, 'no timer is left');
  });
  await settle();
  clock.advance(0);
  await settle();
  return {
    ...{ line, queue, uplink, clock },
    record: async (record, words = dictionary) => {
      await queue.append(record, record.kind === 'batch' ? words : undefined);
      uplink.offer(record);
      await settle();
    },
    ack: (...seqs) => line.say('ack', { epoch, ranges: seqs.map((seq) => [seq, seq]), refused: [] }),
    again: async () => {
      line.lose();
      clock.advance(1000);
      await settle();
    },
  };
};

const many = (count: number, of = 1, words = dictionary): QueuedBatch[] =>
  Array.from({ length: count }, (_, seq) => batch(seq, of, words));

describe('the lanes of the uplink', () => {
  it('let a new batch overtake the whole backlog but for the one that is being written', async (t) => {
    const r = await rig(t, { welcome: { window: 1, backlog: 0 }, before: many(40) });
    Object.assign(r.line.welcome, { window: 16, backlog: 12 });
    r.line.hold();
    await r.again();
    assert.deepEqual(r.line.sent(), [], 'the line is full');
    await r.record(batch(0));
    r.line.drain();
    await settle();
    assert.deepEqual(r.line.sent().slice(0, 3), ['backlog 1/0', 'live 7/0', 'backlog 1/1']);
  });

  it('are led to another node when this one takes nothing of the backlog for minutes, and not before', async (t) => {
    const r = await rig(t, { welcome: { window: 4, backlog: 0 }, before: many(10) });
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        r.clock.advance(1000);
        r.line.hear();
        if (second % 10 === 0) await settle();
      }
      await settle();
    };
    await pass(290);
    assert.equal(r.line.hellos.length, 1);
    Object.assign(r.line.welcome, { backlog: 4 });
    await pass(20);
    assert.equal(r.line.hellos.length, 2);
    assert.equal(r.line.sent()[0], 'backlog 1/0');
  });

  it('do not let a new batch wait for the dictionary of an old one', async (t) => {
    const r = await rig(t, { welcome: { backlog: 0 }, before: many(3, 1, older), words: older });
    let declare: (answer: unknown) => void = () => undefined;
    const declared: unknown[] = [];
    const real = r.queue.dictionary.bind(r.queue);
    r.queue.dictionary = async (hash) => {
      declared.push(hash);
      await new Promise((resolve) => (declare = resolve));
      return real(hash);
    };
    r.line.say('pace', { backlog: 5 });
    await settle();
    assert.deepEqual(declared, [older.hash]);
    await r.record(batch(0));
    assert.deepEqual(r.line.sent(), ['live 7/0']);
    declare(undefined);
    await settle();
    assert.deepEqual(r.line.sent(), ['live 7/0', 'backlog 1/0', 'backlog 1/1', 'backlog 1/2']);
  });

  it('keep to the pace of ingest, which binds the backlog alone, and go on at once when it rises', async (t) => {
    const r = await rig(t, { welcome: { backlog: 2 }, before: many(30) });
    assert.deepEqual(r.line.sent(), ['backlog 1/0', 'backlog 1/1']);
    r.line.say('pace', { backlog: 0 });
    r.line.say('ack', { epoch: 1, ranges: [[0, 1]], refused: [] });
    for (let seq = 0; seq < 5; seq += 1) await r.record(batch(seq));
    assert.deepEqual(r.line.sent().slice(2), ['live 7/0', 'live 7/1', 'live 7/2', 'live 7/3', 'live 7/4']);
    r.line.say('pace', { backlog: 3 });
    await settle();
    assert.deepEqual(r.line.sent().slice(7), ['backlog 1/2', 'backlog 1/3', 'backlog 1/4']);
  });

  it('put what was answered busy back to the backlog, and send it when the pace allows', async (t) => {
    const r = await rig(t, { welcome: { backlog: 0 } });
    await r.record(batch(0));
    r.line.say('busy', { epoch, seq: 0, afterMs: 5000 });
    r.clock.advance(6000);
    await settle();
    assert.deepEqual(r.line.sent(), ['live 7/0']);
    r.line.say('pace', { backlog: 1 });
    await settle();
    assert.deepEqual(r.line.sent(), ['live 7/0', 'backlog 7/0']);
    r.ack(0);
    assert.equal(r.queue.size().batches, 0);
    assert.deepEqual([r.uplink.counters.sent, r.uplink.counters.resent, r.uplink.counters.busy], [1, 1, 1]);
  });

  it('send as much as the window takes to a node that knows no pace', async (t) => {
    const r = await rig(t, { welcome: { protocol: 2, window: 8 }, before: many(30) });
    assert.equal(r.line.sent().length, 6);
  });

  it('keep events for a node that takes them, and what lies behind them does not wait', async (t) => {
    const r = await rig(t, { welcome: { protocol: 2 } });
    await r.record(events(0));
    await r.record(batch(1));
    await r.record(events(2));
    assert.deepEqual(r.line.sent(), ['live 7/1']);
    r.ack(0, 1, 2);
    assert.equal(r.queue.size().batches, 2, 'the two that were never sent');
    r.line.welcome['protocol'] = 3;
    await r.again();
    assert.deepEqual(r.line.sent(), ['events 7/0', 'events 7/2']);
    r.ack(0, 2);
    assert.equal(r.queue.size().batches, 0);
  });

  it('say one attempt more with each hello', async (t) => {
    const r = await rig(t);
    await r.again();
    await r.again();
    assert.deepEqual(
      r.line.hellos.map((hello) => (hello as Hello).attempt),
      [1, 2, 3],
    );
  });

  it('send again after a connection what has no acknowledgement, and nothing else', async (t) => {
    const r = await rig(t);
    for (let seq = 0; seq < 4; seq += 1) await r.record(batch(seq));
    r.ack(1);
    await r.again();
    assert.deepEqual(r.line.sent(), ['backlog 7/0', 'backlog 7/2', 'backlog 7/3']);
  });

  it('believe no acknowledgement of what was never sent, not even of what an earlier start left', async (t) => {
    const r = await rig(t, { welcome: { backlog: 0 }, before: many(3) });
    r.line.say('ack', { epoch: 1, ranges: [[0, 99]], refused: [] });
    assert.equal(r.queue.size().batches, 3);
    r.line.say('pace', { backlog: 2 });
    await settle();
    r.line.say('ack', { epoch: 1, ranges: [[0, 99]], refused: [] });
    assert.equal(r.queue.size().batches, 1);
  });

  it('tell the queue how many samples were refused, once', async (t) => {
    const r = await rig(t);
    await r.record(batch(0));
    await r.record(batch(1));
    const refused = [{ seq: 1, code: 'time-past', samples: 1, detail: '' }];
    const ack = { epoch, ranges: [[0, 1]], refused };
    r.line.say('ack', ack);
    r.line.say('ack', ack);
    const { stored, refused: turnedDown, queued } = r.queue.account();
    assert.deepEqual({ stored, turnedDown, queued }, { stored: 1, turnedDown: 1, queued: 0 });
    assert.equal(r.uplink.counters.samplesRefused, 1);
  });

  it('hold no more of the backlog than a page while the line is slow', async (t) => {
    const r = await rig(t, { welcome: { window: 1024, backlog: 0 }, before: many(900) });
    let readBytes = 0;
    const real = r.queue.read.bind(r.queue);
    r.queue.read = async (after, limit) => {
      const read = await real(after, limit);
      // As large as the largest: what counts is how often more is read.
      const large = read.slice(0, 4).map((one) => ({ ...one, bytes: Buffer.alloc(300_000, one.bytes) }));
      readBytes += large.reduce((sum, one) => sum + one.bytes.length, 0);
      return large;
    };
    r.line.hold();
    r.line.say('pace', { backlog: 700 });
    await settle();
    assert.equal(readBytes, 1_200_000);
    r.line.drain();
    await settle();
    assert.ok(r.line.emitted.length >= 8, 'and goes on as the line takes it');
  });
});
