import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { transportContract } from '../link/transport.contract.ts';
import type { Connection } from '../link/transport.ts';
import { systemClock } from '../system/clock.ts';
import { fakeClock } from './fake-clock.ts';
import { loopbackNetwork } from './loopback-network.ts';
import type { LoopbackOptions } from './loopback-network.ts';

const meant = (options: Omit<LoopbackOptions, 'clock'>) => () => {
  const network = loopbackNetwork(7, { clock: systemClock, ...options });
  return {
    transport: network.transport('a'),
    bind: 'a',
    addressOf: (listener: { port: number }) => `a:${listener.port}`,
    nowhere: 'nowhere:1',
  };
};
transportContract('loop-back', meant({}));
transportContract('loop-back with delay and loss', meant({ delayMs: { min: 1, max: 5 }, lossRate: 0.2, resendMs: 5 }));

const pair = async (options: Omit<LoopbackOptions, 'clock'>) => {
  const clock = fakeClock();
  const network = loopbackNetwork(3, { clock, ...options });
  const arrived: number[] = [];
  const ends: string[] = [];
  await network.transport('b').listen({
    bind: 'b',
    port: 1,
    accept: (connection) => {
      connection.trust();
      return { frame: (bytes) => void arrived.push(bytes[0] ?? -1), closed: (reason) => void ends.push(`b ${reason}`) };
    },
  });
  const dialling = network
    .transport('a')
    .dial('b:1', () => ({ frame: () => undefined, closed: (reason) => void ends.push(`a ${reason}`) }), {
      deadlineMs: 1000,
    });
  const advance = async (ms: number): Promise<void> => {
    for (let at = 0; at < 4; at += 1) await nextTurn();
    clock.advance(ms);
    for (let at = 0; at < 4; at += 1) await nextTurn();
  };
  await advance(500);
  const dialled = await dialling;
  assert.ok(dialled.ok);
  const send = (connection: Connection, value: number): void => connection.send(new Uint8Array([value]));
  return { network, arrived, ends, advance, connection: dialled.connection, send };
};

test('a frame arrives when its delay is over, not before', async () => {
  const { arrived, advance, connection, send } = await pair({ delayMs: { min: 50, max: 50 } });
  send(connection, 1);
  send(connection, 2);
  await advance(49);
  assert.deepEqual(arrived, []);
  await advance(1);
  assert.deepEqual(arrived, [1, 2]);
});

test('over a split nothing arrives and nobody is told; healed, it all arrives in order', async () => {
  const { network, arrived, ends, advance, connection, send } = await pair({});
  network.split(['a'], ['b']);
  send(connection, 1);
  send(connection, 2);
  await advance(60_000);
  assert.deepEqual([arrived, ends], [[], []]);
  network.heal();
  await advance(0);
  assert.deepEqual(arrived, [1, 2]);
});

test('a killed host ends its connections at both ends and is not reached until it is revived', async () => {
  const { network, ends, advance } = await pair({});
  network.kill('b');
  await advance(0);
  assert.deepEqual(ends.sort(), ['a connection lost: the process is gone', 'b connection lost: the process is gone']);
  const dial = () =>
    network.transport('a').dial('b:1', () => ({ frame: () => undefined, closed: () => undefined }), { deadlineMs: 9 });
  assert.equal((await dial()).ok, false);
  network.revive('b');
  assert.equal((await dial()).ok, true);
});

test('the same seed makes the same delays', async () => {
  const times = async (): Promise<number[]> => {
    const { arrived, advance, connection, send } = await pair({ delayMs: { min: 1, max: 100 }, lossRate: 0.3 });
    const seen: number[] = [];
    for (let value = 0; value < 5; value += 1) send(connection, value);
    for (let ms = 0; ms < 2000; ms += 1) {
      await advance(1);
      while (seen.length < arrived.length) seen.push(ms);
    }
    return seen;
  };
  const first = await times();
  assert.equal(first.length, 5);
  assert.deepEqual(await times(), first);
});

test('a host that vanished says nothing; when it is there again it resets what it does not know', async () => {
  const { network, ends, advance, connection, send, arrived } = await pair({ delayMs: { min: 1, max: 1 } });
  network.vanish('b');
  send(connection, 1);
  await advance(60_000);
  assert.deepEqual([arrived, ends], [[], []]);
  network.revive('b');
  await advance(10);
  assert.equal(ends.join(), '');
  await advance(500);
  assert.match(ends.join(), /a connection reset by the other end/);
});

test('a way that tries again by itself is late when the split is over, by how long it had waited', async () => {
  const { network, arrived, advance, connection, send } = await pair({ delayMs: { min: 1, max: 1 }, tries: true });
  network.split(['a'], ['b']);
  send(connection, 1);
  // Tried after 201 ms, then after 400, 800 and 1600 more.
  await advance(1500);
  network.heal();
  await advance(1400);
  assert.deepEqual(arrived, []);
  await advance(200);
  assert.deepEqual(arrived, [1]);
});

test('what reaches a process runs when it says so, in order, and it may be held back', async () => {
  const clock = fakeClock();
  const network = loopbackNetwork(3, { clock, delayMs: { min: 1, max: 1 } });
  const held: (() => void)[] = [];
  const arrived: number[] = [];
  await network
    .transport('b', (run) => void held.push(run))
    .listen({
      bind: 'b',
      port: 1,
      accept: () => ({ frame: (bytes) => void arrived.push(bytes[0] ?? -1), closed: () => undefined }),
    });
  const dialling = network
    .transport('a')
    .dial('b:1', () => ({ frame: () => undefined, closed: () => undefined }), { deadlineMs: 1000 });
  clock.advance(10);
  const dialled = await dialling;
  assert.ok(dialled.ok);
  for (const value of [1, 2]) dialled.connection.send(new Uint8Array([value]));
  clock.advance(10);
  assert.deepEqual(arrived, []);
  for (const run of held.splice(0)) run();
  assert.deepEqual(arrived, [1, 2]);
});

test('hosts that refuse each other lose their connections at both ends, and are refused until it is healed', async () => {
  const { network, ends, advance } = await pair({});
  network.refuse('b', 'a');
  await advance(1);
  assert.deepEqual(ends.toSorted(), ['a connection reset by the other end', 'b connection reset by the other end']);
  const dial = async () => {
    const dialled = network
      .transport('a')
      .dial('b:1', () => ({ frame: () => undefined, closed: () => undefined }), { deadlineMs: 1000 });
    await advance(10);
    return dialled;
  };
  const refused = await dial();
  assert.ok(!refused.ok && refused.refused === true);
  network.heal();
  assert.ok((await dial()).ok);
});
