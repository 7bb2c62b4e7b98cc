/** What happens on the mesh port when who connects is no node of ours, over real sockets. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { encode as pack } from '@msgpack/msgpack';
import { createActorSystem } from '../system/actor-system.ts';
import { silentLog } from '../system/log.ts';
import { systemClock } from '../system/clock.ts';
import { eventually } from '../testing/eventually.ts';
import { testMeshKey } from '../testing/nodes.ts';
import { diallerHandshake } from './handshake.ts';
import type { Party } from './handshake.ts';
import { startLinks } from './links.ts';
import type { Links } from './links.ts';
import { encode, kept } from './messages.ts';
import { socketTransport } from './socket-transport.ts';
import type { Connection } from './transport.ts';

const startNode = async (
  t: TestContext,
  id: string,
  seeds: readonly string[] = [],
  key = testMeshKey,
): Promise<Links> => {
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const links = await startLinks({
    self: { id, name: id, role: 'web' },
    key,
    bind: '127.0.0.1',
    port: 0,
    seeds,
    system,
  });
  t.after(async () => {
    await links.close();
    await system.stop();
  });
  return links;
};

type Stranger = { connection: Connection; frames: Uint8Array[]; ends: string[]; linked: boolean };

/** Connects by hand; with a party it does a handshake and then stays silent, otherwise it does nothing by itself. */
const connect = async (t: TestContext, links: Links, party?: Party): Promise<Stranger> => {
  const handshake = party && diallerHandshake(party);
  const frames: Uint8Array[] = [];
  const ends: string[] = [];
  const dialled = await socketTransport.dial(
    links.self.address,
    (connection) => {
      if (handshake) connection.send(handshake.hello);
      return {
        frame: (bytes) => {
          frames.push(bytes);
          if (!handshake || stranger.linked) return;
          const step = handshake.take(bytes);
          if (step.send) connection.send(step.send);
          if (step.state !== 'linked') return;
          stranger.linked = true;
          connection.trust();
        },
        closed: (reason) => void ends.push(reason),
      };
    },
    { deadlineMs: 3000 },
  );
  assert.ok(dialled.ok);
  const stranger: Stranger = { connection: dialled.connection, frames, ends, linked: false };
  t.after(() => stranger.connection.close('end of test'));
  return stranger;
};

const partyOf = (id: string, more: Partial<Party> = {}): Party => ({
  self: { id, name: id, role: 'ingest', incarnation: 1, address: '127.0.0.1:1' },
  key: testMeshKey,
  nonce: randomBytes(32),
  decide: () => ({ ok: true }),
  ...more,
});

test('nodes on real sockets form a mesh from one seed and talk', async (t) => {
  const a = await startNode(t, 'a');
  const rest = await Promise.all(['b', 'c', 'd'].map((id) => startNode(t, id, [a.self.address])));
  await eventually(() => [a, ...rest].every((links) => links.peers().length === 3));
  rest[2]?.serve('echo', (message) => message);
  assert.deepEqual(await rest[0]?.ask('d', 'echo', { x: [1, null, 'y'] }, { deadlineMs: 5000 }), {
    ok: true,
    value: { x: [1, null, 'y'] },
  });
});

test('a node whose seeds name itself goes on without them', async (t) => {
  const system = createActorSystem({ name: 's', clock: systemClock, log: silentLog });
  const probe = await startNode(t, 'probe');
  await probe.close();
  const port = Number(probe.self.address.split(':')[1]);
  const seeds = [probe.self.address];
  const links = await startLinks({
    self: { id: 's', name: 's', role: 'web' },
    key: testMeshKey,
    bind: '127.0.0.1',
    port,
    seeds,
    system,
  });
  await eventually(() => assert.equal(links.counters()['dials'], 1));
  const other = await startNode(t, 'o', seeds);
  await eventually(() => assert.equal(other.peers().length, 1));
  assert.equal(links.counters()['dials'], 1);
  await links.close();
  await system.stop();
});

test('another mesh key, another version, a foreign id: refused with the reason, and others stay linked', async (t) => {
  const a = await startNode(t, 'a');
  const b = await startNode(t, 'b', [a.self.address]);
  await eventually(() => assert.equal(b.peers().length, 1));
  const parties: readonly [Party, RegExp][] = [
    [partyOf('x', { key: 'some other mesh key' }), /the mesh keys differ/],
    [partyOf('x', { versions: [99] }), /we speak 1, 2, you speak 99/],
    [partyOf('a'), /node id a is taken/],
  ];
  for (const [party, reason] of parties) {
    const stranger = await connect(t, a, party);
    await eventually(() => assert.match(stranger.ends[0] ?? '', reason));
    assert.equal(stranger.linked, false);
  }
  assert.equal(a.counters()['refused'], 3);
  assert.deepEqual(
    a.peers().map((peer) => peer.id),
    ['b'],
  );
});

test('a node with the wrong key never gets in, however long it tries', async (t) => {
  const a = await startNode(t, 'a');
  const wrong = await startNode(t, 'w', [a.self.address], 'some other mesh key');
  await eventually(() => assert.ok((wrong.counters()['dials'] ?? 0) >= 3));
  assert.deepEqual([a.peers(), wrong.peers()], [[], []]);
});

test('a key that is too short is refused at the start', async (t) => {
  await assert.rejects(startNode(t, 'a', [], 'short'), /the mesh key is too short: at least 16/);
});

test('garbage instead of a handshake closes that connection alone', async (t) => {
  const a = await startNode(t, 'a');
  const hostile: readonly Uint8Array[] = [
    new Uint8Array(0),
    randomBytes(300),
    pack({ step: 'proof', proof: randomBytes(32) }),
    pack({ step: 'hello', versions: [1], node: { id: '__proto__' }, nonce: randomBytes(32) }),
  ];
  for (const frame of hostile) {
    const stranger = await connect(t, a);
    stranger.connection.send(frame);
    await eventually(() => assert.equal(stranger.ends.length, 1));
  }
  assert.equal(a.counters()['refused'], hostile.length);
});

test('a handshake that never ends is cut off after 3 s, and counts as none', async (t) => {
  const a = await startNode(t, 'a');
  const silent = await connect(t, a);
  const halfway = await connect(t, a);
  halfway.connection.send(diallerHandshake(partyOf('x')).hello);
  await eventually(() => assert.match(silent.ends[0] ?? '', /no handshake within 3000 ms/));
  await eventually(() => assert.match(halfway.ends[0] ?? '', /no handshake within 3000 ms/));
  assert.equal(a.peers().length, 0);
});

test('more unproved connections than allowed are closed at once, and nodes get in again after', async (t) => {
  const a = await startNode(t, 'a');
  const strangers = await Promise.all(Array.from({ length: 70 }, () => connect(t, a)));
  await eventually(() =>
    assert.equal(strangers.filter((one) => one.ends[0] === 'too many connections at once').length, 6),
  );
  for (const one of strangers) one.connection.close('gone');
  const b = await startNode(t, 'b', [a.self.address]);
  await eventually(() => assert.equal(b.peers().length, 1));
});

test('a linked node that talks nonsense loses its link, nobody else does', async (t) => {
  const a = await startNode(t, 'a');
  const b = await startNode(t, 'b', [a.self.address]);
  const stranger = await connect(t, a, partyOf('x'));
  await eventually(() => assert.equal(a.peers().length, 2));
  stranger.connection.send(new Uint8Array([0xc1]));
  await eventually(() =>
    assert.deepEqual(
      a.peers().map((peer) => peer.id),
      ['b'],
    ),
  );
  assert.equal(a.counters()['garbage'], 1);
  assert.equal(
    b.peers().some((peer) => peer.id === 'a'),
    true,
  );
});

test('answers nobody asked for, and to questions put to others, change nothing', async (t) => {
  const a = await startNode(t, 'a');
  const b = await startNode(t, 'b', [a.self.address]);
  const stranger = await connect(t, a, partyOf('x'));
  await eventually(() => assert.equal(a.peers().length, 2));
  let asked = false;
  b.serve('slow', async () => {
    asked = true;
    await eventually(() => (a.counters()['messagesIn'] ?? 0) >= 50);
    return 'from b';
  });
  const asking = a.ask('b', 'slow', null, { deadlineMs: 9000 });
  await eventually(() => asked);
  for (let id = 0; id < 50; id += 1) stranger.connection.send(kept(encode.answer(id, 'from x')));
  assert.deepEqual(await asking, { ok: true, value: 'from b' });
});

test('a linked node that falls silent is given up after 5 s', async (t) => {
  const a = await startNode(t, 'a');
  const downs: string[] = [];
  a.onPeer({ up: () => undefined, down: (_peer, reason) => void downs.push(reason) });
  await connect(t, a, partyOf('x'));
  await eventually(() => assert.equal(a.peers().length, 1));
  await eventually(() => assert.match(downs[0] ?? '', /nothing heard for 5\d\d\d ms/));
});

test('a port in use is named', async () => {
  const system = createActorSystem({ name: 'p', clock: systemClock, log: silentLog });
  const make = (port: number) =>
    startLinks({
      self: { id: 'p', name: 'p', role: 'web' },
      key: testMeshKey,
      bind: '127.0.0.1',
      port,
      seeds: [],
      system,
    });
  const first = await make(0);
  const port = Number(first.self.address.split(':')[1]);
  await assert.rejects(make(port), new RegExp(`127.0.0.1 port ${port}: the port is in use`));
  await first.close();
});
