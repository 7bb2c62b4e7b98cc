/** The uplink against a real socket.io server that keeps the protocol, breaks it, falls silent or goes away. */
import assert from 'node:assert/strict';
import { createConnection, createServer, type Socket as NetSocket } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { systemClock, type Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { memory } from '@thrum/actors/wire/catalogue/memory';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { recentAnswerSchema } from '@thrum/actors/wire/ingest-to-agent';
import { refuse } from '@thrum/actors/wire/refusal';
import { createMemoryQueue } from '../queue/memory-queue.ts';
import type { Queue, QueuedBatch } from '../queue/queue.ts';
import { createRecent, type Recent } from './recent.ts';
import { ackOf, startScriptedIngest, type Script, type ScriptedIngest } from './scripted-ingest.contract.ts';
import type { Uplink } from './uplink.ts';
import { startUplink } from './uplink-actor.ts';

const dictionary = dictionaryOf([load]);
const host = randomUUID();
const machine = { name: 'h', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 1, virtual: '' };

type Rig = {
  ingest: ScriptedIngest;
  uplink: Uplink;
  queue: Queue;
  recent: Recent;
  lines: { level: string; message: string }[];
  /** Measures one batch, as the agent does. */
  take(): Promise<QueuedBatch>;
  seqs(): number[];
};

const recordingLog = (lines: Rig['lines']): Log => {
  const at = (level: string) => (_fields: object, message: string) => void lines.push({ level, message });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return log;
};

/** A clock in which waiting takes a quarter of the time. */
const hurried: Clock = {
  wallMs: () => systemClock.wallMs(),
  monotonicMs: () => systemClock.monotonicMs() * 4,
  after: (ms, run) => systemClock.after(ms / 4, run),
  every: (ms, run) => systemClock.every(ms / 4, run),
};

const rig = async (
  t: TestContext,
  script: Script = {},
  urls?: (own: string) => readonly string[],
  clock = systemClock,
): Promise<Rig> => {
  const ingest = await startScriptedIngest(script);
  const queue = createMemoryQueue({ maxBytes: 1e7 });
  const recent = createRecent(dictionary.hash);
  const lines: Rig['lines'] = [];
  const uplink = startUplink({
    urls: urls?.(ingest.url) ?? [ingest.url],
    ready: Promise.resolve(),
    facts: () => ({
      token: 't',
      host,
      boot: host,
      epoch: 7,
      agentVersion: '0',
      periodMs: 1000,
      cluster: 'c',
      labels: {},
      machine,
    }),
    dictionary,
    queue,
    recent,
    clock,
    log: recordingLog(lines),
    random: () => 0.5,
  });
  t.after(async () => {
    // What a test left unacknowledged is not waited for.
    queue.ack(7, [[0, Number.MAX_SAFE_INTEGER]]);
    await uplink.stop();
    await ingest.close();
  });
  let seq = 0;
  const take = async (): Promise<QueuedBatch> => {
    const timeMs = 1_700_000_000_000 + seq;
    const { bytes } = encodeBatch(dictionary, 7, seq, [{ target: 0, fields: [], timeMs, values: [seq, 0, 0] }]);
    const batch = { kind: 'batch' as const, epoch: 7, seq, timeMs, dictionary: dictionary.hash, samples: 1, bytes };
    seq += 1;
    await queue.append(batch, dictionary);
    recent.add(bytes, timeMs);
    uplink.offer(batch);
    return batch;
  };
  return { ingest, uplink, queue, recent, lines, take, seqs: () => ingest.arrived.map((one) => one.seq) };
};

const isOpen = ({ uplink }: Rig): Promise<void> => eventually(() => uplink.isOpen());

describe('the uplink', () => {
  it('greets, declares its dictionary when asked to, sends what waited in order, and forgets what is acknowledged', async (t) => {
    const r = await rig(t, { needDictionary: true });
    for (let i = 0; i < 5; i += 1) await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.deepEqual(r.seqs(), [0, 1, 2, 3, 4]);
    assert.equal(r.ingest.hellos.length, 1);
    assert.equal(r.ingest.hellos[0]?.epoch, 7);
    assert.deepEqual(r.ingest.declared, [dictionary]);
    assert.deepEqual(
      { ...r.uplink.counters },
      {
        sent: 5,
        resent: 0,
        acknowledged: 5,
        samplesRefused: 0,
        busy: 0,
        unanswered: 0,
        nonsense: 0,
        connections: 1,
      },
    );
  });

  it('does not declare a dictionary the node knows, and declares another one before a batch that needs it', async (t) => {
    const r = await rig(t);
    await r.take();
    const old = dictionaryOf([load, memory]);
    const { bytes } = encodeBatch(old, 7, 1, [{ target: 0, fields: [], timeMs: 1, values: [1, 1, 1] }]);
    const batch = { kind: 'batch' as const, epoch: 7, seq: 1, timeMs: 1, dictionary: old.hash, samples: 1, bytes };
    await r.queue.append(batch, old);
    r.uplink.offer(batch);
    await eventually(() => r.queue.size().batches === 0);
    assert.deepEqual(r.ingest.declared, [old]);
  });

  it('connects again within 200 ms of a cut, resends what has no acknowledgement oldest first, and sends new batches meanwhile', async (t) => {
    const r = await rig(t, { answer: () => undefined });
    await isOpen(r);
    for (let i = 0; i < 6; i += 1) await r.take();
    await eventually(() => r.ingest.arrived.length === 6);
    r.ingest.script.answer = ackOf;
    const cutMs = performance.now();
    r.ingest.cut();
    await eventually(() => !r.uplink.isOpen());
    await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.ok(performance.now() - cutMs < 3000);
    const second = r.ingest.arrived.filter((one) => one.connection === 2);
    assert.deepEqual(second.find((one) => one.seq === 6)?.resend, false);
    assert.deepEqual(
      second.filter((one) => one.resend === true).map((one) => one.seq),
      [0, 1, 2, 3, 4, 5],
    );
    assert.equal(second[0]?.seq, 6, 'what is new does not wait for the backlog');
    assert.deepEqual([r.uplink.counters.sent, r.uplink.counters.resent], [7, 6]);
  });

  it('keeps a busy batch, goes on with new ones, and sends it again as a resend when its time has come', async (t) => {
    let refuse0 = true;
    const r = await rig(t, {
      answer: (arrived) => {
        if (arrived.seq !== 0 || !refuse0) return ackOf(arrived);
        refuse0 = false;
        return { event: 'busy', payload: { epoch: 7, seq: 0, afterMs: 300 } };
      },
    });
    for (let i = 0; i < 3; i += 1) await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.deepEqual(
      r.ingest.arrived.map(({ seq, resend }) => [seq, resend]),
      [
        [0, false],
        [1, false],
        [2, false],
        [0, true],
      ],
    );
    assert.equal(r.ingest.hellos.length, 1);
  });

  it('never has more on the way than the window', async (t) => {
    let most = 0;
    const open = new Set<number>();
    const r = await rig(t, {
      window: 4,
      answer: (arrived, socket) => {
        open.add(arrived.seq);
        most = Math.max(most, open.size);
        setImmediate(() => {
          open.delete(arrived.seq);
          const said = ackOf(arrived);
          socket.emit(said.event, said.payload);
        });
        return undefined;
      },
    });
    for (let i = 0; i < 200; i += 1) await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.equal(new Set(r.seqs()).size, 200);
    assert.ok(most <= 4, `${most} at once`);
  });

  it('does not forget what was never sent, whatever an acknowledgement says', async (t) => {
    const everything = { event: 'ack', payload: { epoch: 7, ranges: [[0, Number.MAX_SAFE_INTEGER]], refused: [] } };
    const r = await rig(t, { window: 1, answer: () => everything });
    for (let i = 0; i < 30; i += 1) await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.deepEqual(
      [...new Set(r.seqs())].sort((a, b) => a - b),
      Array.from({ length: 30 }, (_, i) => i),
    );
  });

  it('counts refused samples with their reason, and tells each reason once', async (t) => {
    const r = await rig(t, {
      answer: ({ epoch, seq }) => ({
        event: 'ack',
        payload: { epoch, ranges: [[seq, seq]], refused: [{ seq, code: 'time-ahead', samples: 2, detail: 'x' }] },
      }),
    });
    for (let i = 0; i < 4; i += 1) await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.equal(r.uplink.counters.samplesRefused, 8);
    assert.equal(r.lines.filter((line) => line.level === 'warn').length, 1);
  });

  it('ignores and counts garbage, and the connection goes on', async (t) => {
    const r = await rig(t);
    await isOpen(r);
    const [socket] = r.ingest.sockets();
    assert.ok(socket);
    const garbage: [string, unknown][] = [
      ['ack', undefined],
      ['ack', 'yes'],
      ['ack', { epoch: -1, ranges: [], refused: [] }],
      ['ack', { epoch: 7, ranges: [[1]], refused: [] }],
      ['ack', { epoch: 7, ranges: [['0', '9']], refused: [] }],
      ['ack', { epoch: 7, ranges: [[0, 1]], refused: [{ seq: 0, code: 'no-such-code', samples: 1, detail: '' }] }],
      ['busy', { epoch: 7, seq: 0, afterMs: Number.MAX_VALUE }],
      ['busy', null],
      ['recent', { sinceMs: 0 }],
      ['__proto__', {}],
      ['something-new', { a: 1 }],
    ];
    for (const [event, payload] of garbage) socket.emit(event, payload);
    await eventually(() => r.uplink.counters.nonsense === garbage.length);
    await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.equal(r.ingest.hellos.length, 1);
  });

  it('answers who asks for the last minutes', async (t) => {
    const r = await rig(t);
    for (let i = 0; i < 25; i += 1) await r.take();
    await eventually(() => r.queue.size().batches === 0);
    const [socket] = r.ingest.sockets();
    const answer: unknown = await socket?.timeout(5000).emitWithAck('recent', { sinceMs: 0 });
    const parsed = recentAnswerSchema.parse(answer);
    assert.equal(parsed.dictionary, dictionary.hash);
    assert.equal(parsed.groups.length, 3);
  });

  it('says goodbye when it is stopped', async (t) => {
    const r = await rig(t);
    await isOpen(r);
    await r.uplink.stop();
    assert.equal(r.ingest.byes, 1);
    await eventually(() => r.ingest.sockets().length === 0);
  });

  it('stops in time though nothing is acknowledged', async (t) => {
    const r = await rig(t, { answer: () => undefined });
    await r.take();
    await eventually(() => r.ingest.arrived.length === 1);
    const beganMs = performance.now();
    await r.uplink.stop();
    assert.ok(performance.now() - beganMs < 2500);
    assert.equal(r.ingest.byes, 1);
  });
});

describe('the uplink, refused', () => {
  it('tells a wrong token once, as an error, and stays away for about a minute', async (t) => {
    const r = await rig(t, { hello: () => refuse('bad-token') });
    await eventually(() => r.lines.some((line) => line.level === 'error' && line.message.includes('THRUM_TOKEN')));
    await r.take();
    await eventually(() => r.ingest.sockets().length === 0);
    assert.equal(r.ingest.hellos.length, 1);
    assert.equal(r.queue.size().batches, 1);
  });

  it('tells a version of the protocol that it does not speak', async (t) => {
    const welcome = { ok: true, protocol: 99, node: 'n', window: 4, needDictionary: false, serverMs: 1 };
    const r = await rig(t, { hello: () => welcome });
    await eventually(() => r.lines.some((line) => line.level === 'error' && line.message.includes('upgrade')));
    assert.equal(r.uplink.isOpen(), false);
  });

  it('goes to another address when the first does not take it', async (t) => {
    const other = await startScriptedIngest();
    t.after(() => other.close());
    const r = await rig(t, { hello: () => refuse('bad-token') }, (own) => [own, other.url]);
    await isOpen(r);
    await r.take();
    await eventually(() => other.arrived.length === 1);
  });

  it('comes back when the node says that it leaves, and loses nothing', async (t) => {
    const r = await rig(t, { answer: () => undefined });
    await isOpen(r);
    await r.take();
    await eventually(() => r.ingest.arrived.length === 1);
    r.ingest.script.answer = ackOf;
    for (const socket of r.ingest.sockets()) {
      socket.emit('refused', refuse('leaving'));
      socket.disconnect(true);
    }
    await eventually(() => r.queue.size().batches === 0);
    assert.deepEqual(
      r.ingest.hellos.map(({ attempt }) => attempt),
      [1, 2],
      'each hello of an epoch says one more than the last',
    );
  });

  it('tries again after a refusal of its dictionary or an answer that makes no sense', async (t) => {
    const answers: unknown[] = ['what?', { ok: true }, 0, { ok: false, code: 'unheard-of', detail: '' }];
    const r = await rig(t, { needDictionary: true, dictionary: refuse('try-later') });
    r.ingest.script.hello = () => answers.shift();
    await eventually(() => r.ingest.declared.length > 0, { withinMs: 20_000 });
    assert.equal(r.uplink.isOpen(), false);
    assert.ok(r.uplink.counters.nonsense >= 3);
    delete r.ingest.script.dictionary;
    await isOpen(r);
  });
});

describe('the uplink and a peer that is no ingest node', () => {
  /** A server of plain bytes. Its connections are cut when the test ends. */
  const plain = async (t: TestContext, on: (socket: NetSocket) => void): Promise<string> => {
    const sockets = new Set<NetSocket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      on(socket);
    });
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('gives up one that never answers and goes to the next', async (t) => {
    const mute = await plain(t, () => undefined);
    const r = await rig(t, {}, (own) => [mute, own], hurried);
    await r.take();
    await eventually(() => r.queue.size().batches === 0);
    assert.ok(r.lines.some((line) => line.level === 'warn'));
  });

  it('gives up one that talks nonsense or closes at once and goes to the next', async (t) => {
    const rude = await plain(t, (socket) => socket.destroy());
    const web = await plain(t, (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'));
    const junk = await plain(t, (socket) => socket.write(Buffer.alloc(100_000, 0xff)));
    const r = await rig(t, {}, (own) => [rude, web, junk, own]);
    await r.take();
    await eventually(() => r.queue.size().batches === 0);
  });

  it('gives up one that welcomes the connection and never answers the hello', async (t) => {
    const other = await startScriptedIngest();
    t.after(() => other.close());
    const r = await rig(t, { hello: () => 'silence' }, (own) => [own, other.url], hurried);
    await r.take();
    await eventually(() => other.arrived.length === 1, { withinMs: 15_000 });
  });

  it('ends a connection that sends a huge message, and comes back', async (t) => {
    const r = await rig(t);
    await isOpen(r);
    for (const socket of r.ingest.sockets()) socket.emit('ack', 'x'.repeat(2 * 1024 * 1024));
    await eventually(() => r.ingest.hellos.length === 2);
    await isOpen(r);
    await r.take();
    await eventually(() => r.queue.size().batches === 0);
  });

  it('notices a line that falls silent, comes back over another, and delivers everything', async (t) => {
    let isFrozen = false;
    let port = 0;
    const frozen = (): boolean => isFrozen;
    const proxy = await plain(t, (socket) => {
      const onward = createConnection(port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      socket.on('close', () => onward.destroy());
      socket.on('data', (data) => {
        if (!frozen()) onward.write(data);
      });
      onward.on('data', (data) => {
        if (!frozen()) socket.write(data);
      });
    });
    const target = await startScriptedIngest({ answer: () => undefined });
    t.after(() => target.close());
    port = Number(new URL(target.url).port);
    const r = await rig(t, {}, (own) => [proxy, own], hurried);
    await isOpen(r);
    await r.take();
    await eventually(() => target.arrived.length === 1);
    isFrozen = true;
    await r.take();
    await eventually(() => r.queue.size().batches === 0, { withinMs: 20_000 });
    assert.deepEqual(r.seqs().sort(), [0, 1]);
    assert.ok(r.lines.some((line) => line.level === 'warn'));
  });
});
