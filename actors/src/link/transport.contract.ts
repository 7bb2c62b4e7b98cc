/** What every transport promises. Run by the test of each implementation, on real time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { transportLimits } from './transport.ts';
import type { Connection, ConnectionEvents, Listener, Transport } from './transport.ts';

type Recorded = ConnectionEvents & { readonly frames: Uint8Array[]; readonly ends: string[] };
const recorder = (): Recorded => {
  const frames: Uint8Array[] = [];
  const ends: string[] = [];
  return {
    frames,
    ends,
    frame: (bytes) => void frames.push(new Uint8Array(bytes)),
    closed: (why) => void ends.push(why),
  };
};

export type Meant = { transport: Transport; bind: string; addressOf(listener: Listener): string; nowhere: string };

type Pair = { near: Connection; far: Connection; nearSaw: Recorded; farSaw: Recorded };

export const transportContract = (name: string, make: () => Meant): void => {
  const listening = async (t: TestContext, meant: Meant, port = 0) => {
    const accepted: { connection: Connection; saw: Recorded }[] = [];
    const listener = await meant.transport.listen({
      bind: meant.bind,
      port,
      accept: (connection) => {
        const saw = recorder();
        accepted.push({ connection, saw });
        return saw;
      },
    });
    t.after(() => listener.close());
    return { listener, accepted };
  };

  const pair = async (t: TestContext, options: { trust: boolean }): Promise<Pair> => {
    const meant = make();
    const { listener, accepted } = await listening(t, meant);
    const nearSaw = recorder();
    const dialled = await meant.transport.dial(meant.addressOf(listener), () => nearSaw, { deadlineMs: 5000 });
    assert.ok(dialled.ok);
    const near = dialled.connection;
    await eventually(() => assert.equal(accepted.length, 1));
    const [first] = accepted;
    assert.ok(first);
    if (options.trust) for (const connection of [near, first.connection]) connection.trust();
    t.after(() => near.close('end of test'));
    return { near, far: first.connection, nearSaw, farSaw: first.saw };
  };

  const frameOf = (bytes: number, fill: number): Uint8Array => new Uint8Array(bytes).fill(fill);

  test(`${name}: frames arrive whole and in order, both ways`, async (t) => {
    const { near, far, nearSaw, farSaw } = await pair(t, { trust: true });
    const sizes = [1, 0, 65_536, 3, 1_000_000, 125, 126, 127];
    for (const [at, size] of sizes.entries()) {
      near.send(frameOf(size, at));
      far.send(frameOf(size, at + 100));
    }
    await eventually(() => assert.equal(farSaw.frames.length + nearSaw.frames.length, 2 * sizes.length));
    assert.deepEqual(
      farSaw.frames,
      sizes.map((size, at) => frameOf(size, at)),
    );
    assert.deepEqual(
      nearSaw.frames,
      sizes.map((size, at) => frameOf(size, at + 100)),
    );
  });

  test(`${name}: written is called for every frame`, async (t) => {
    const { near } = await pair(t, { trust: true });
    let written = 0;
    for (let at = 0; at < 50; at += 1) near.send(frameOf(100_000, at), () => (written += 1));
    await eventually(() => assert.equal(written, 50));
    near.close('done');
    near.send(frameOf(1, 1), () => (written += 1));
    await eventually(() => assert.equal(written, 51));
  });

  test(`${name}: what was sent before a close arrives, and both ends learn of it once, with the reason`, async (t) => {
    const { near, nearSaw, farSaw } = await pair(t, { trust: true });
    for (let at = 0; at < 20; at += 1) near.send(frameOf(1000, at));
    near.close('enough said');
    near.close('again');
    near.send(frameOf(1, 1));
    await eventually(() => assert.deepEqual([nearSaw.ends, farSaw.ends], [['enough said'], ['enough said']]));
    assert.equal(farSaw.frames.length, 20);
  });

  test(`${name}: after our close nothing is delivered to us`, async (t) => {
    const { near, far, nearSaw, farSaw } = await pair(t, { trust: true });
    near.close('deaf now');
    for (let at = 0; at < 20; at += 1) far.send(frameOf(1000, at));
    await eventually(() => assert.equal(farSaw.ends.length, 1));
    assert.equal(nearSaw.frames.length, 0);
  });

  test(`${name}: who is not trusted may send ${transportLimits.untrustedBytes} bytes in all`, async (t) => {
    const { near, far, farSaw, nearSaw } = await pair(t, { trust: false });
    near.send(frameOf(2000, 1));
    await eventually(() => assert.equal(farSaw.frames.length, 1));
    near.send(frameOf(3000, 1));
    await eventually(() => assert.match(farSaw.ends[0] ?? '', /more than 4096 bytes/));
    await eventually(() => assert.equal(nearSaw.ends.length, 1));
    far.send(frameOf(1, 1));
    assert.equal(
      farSaw.frames.reduce((sum, frame) => sum + frame.byteLength, 0) <= transportLimits.untrustedBytes,
      true,
    );
  });

  test(`${name}: a frame over the limit ends the connection`, async (t) => {
    const { near, farSaw } = await pair(t, { trust: true });
    near.send(new Uint8Array(transportLimits.frameBytes + 1));
    await eventually(() => assert.equal(farSaw.ends.length, 1));
    assert.equal(farSaw.frames.length, 0);
  });

  test(`${name}: dialling where nobody listens, or what is no address, says so`, async () => {
    const meant = make();
    for (const address of [meant.nowhere, 'no address at all']) {
      const dialled = await meant.transport.dial(address, recorder, { deadlineMs: 5000 });
      assert.ok(!dialled.ok);
      assert.notEqual(dialled.reason, '');
    }
  });

  test(`${name}: a taken port is refused with a message that names it`, async (t) => {
    const meant = make();
    const { listener } = await listening(t, meant);
    await assert.rejects(listening(t, meant, listener.port), new RegExp(`port ${listener.port}: the port is in use`));
  });

  test(`${name}: a closed listener takes no more, and its port is free`, async (t) => {
    const meant = make();
    const { listener } = await listening(t, meant);
    await listener.close();
    const dialled = await meant.transport.dial(meant.addressOf(listener), recorder, { deadlineMs: 5000 });
    assert.equal(dialled.ok, false);
    await listening(t, meant, listener.port);
  });
};
