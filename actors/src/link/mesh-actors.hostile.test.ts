/** What a peer that holds the mesh key, and is broken or worse, can do with messages about actors: nothing beyond what it was given. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ActorRef } from '../system/actor-system.ts';
import { eventually } from '../testing/eventually.ts';
import { seededRandom } from '../testing/random.ts';
import { startNodes, testMeshKey } from '../testing/nodes.ts';
import type { TestNode } from '../testing/nodes.ts';
import { diallerHandshake, linkVersions } from './handshake.ts';
import { decodeFrame, encode, kept, nameLimits } from './messages.ts';
import type { ActorMessage, LinkMessage } from './messages.ts';
import { pack } from './packing.ts';
import type { Extension } from './packing.ts';
import { packOwn, packReference, packReply } from './references.ts';
import { RemoteRef } from './remote-ref.ts';

type Stranger = {
  say(message: ActorMessage): void;
  send(frame: Uint8Array): void;
  heard: LinkMessage[];
  ends: string[];
};

/** A linked node made by hand; it reads what it is sent and answers nothing. */
const meshWithStranger = async (t: TestContext, versions = linkVersions) => {
  const all = await startNodes(2);
  t.after(() => all.close());
  const [a, b] = all.nodes;
  assert.ok(a && b);
  const self = { id: 'n99', name: 'stranger', role: 'web', incarnation: 7, address: 'h99:7072' } as const;
  const handshake = diallerHandshake({
    ...{ self, key: testMeshKey, nonce: randomBytes(32), versions, decide: () => ({ ok: true }) },
  });
  const heard: LinkMessage[] = [];
  const ends: string[] = [];
  let linked = false;
  const dialled = await all.network.transport('h99').dial(
    a.links.self.address,
    (connection) => {
      connection.send(handshake.hello);
      return {
        frame: (bytes) => {
          if (linked) {
            const decoded = decodeFrame(bytes);
            if (decoded.ok) heard.push(...decoded.messages);
            return;
          }
          const step = handshake.take(bytes);
          if (step.send) connection.send(step.send);
          if (step.state !== 'linked') return;
          linked = true;
          connection.trust();
        },
        closed: (reason) => void ends.push(reason),
      };
    },
    { deadlineMs: 3000 },
  );
  assert.ok(dialled.ok);
  const { connection } = dialled;
  t.after(() => connection.close('end of test'));
  await eventually(() => assert.equal(a.links.peers().length, 2));
  const stranger: Stranger = {
    say: (message) => connection.send(kept(encode.actor(message))),
    send: (frame) => connection.send(frame),
    ...{ heard, ends },
  };
  return { a, b, stranger };
};

const keeper = (node: TestNode, name: string, max = 100_000) => {
  const got: unknown[] = [];
  const ref = node.system.spawn<unknown, undefined>({
    ...{ name, mailbox: { max, whenFull: 'refuse' }, restart: { times: 0, withinMs: 1 }, start: () => undefined },
    receive: (_state, message) => void got.push(message),
  });
  return { got, ref };
};
const counter = (node: TestNode, name: string): number => node.actors.counters()[name] ?? 0;
const ofKind = (stranger: Stranger, kind: LinkMessage['kind']): LinkMessage[] =>
  stranger.heard.filter((message) => message.kind === kind);

test('an actor that was never told of is reached by no made-up id', async (t) => {
  const { a, stranger } = await meshWithStranger(t);
  const { got } = keeper(a, 'private');
  a.actors.register('public', keeper(a, 'public').ref);
  for (let actor = 0; actor < 3000; actor += 1) {
    if (actor === 1) continue;
    stranger.say({ kind: 'send', actor, body: 'forged' });
    stranger.say({ kind: 'stop', actor });
    stranger.say({ kind: 'question', actor, id: actor, deadlineMs: 1000, body: 'forged' });
  }
  await eventually(() => assert.equal(ofKind(stranger, 'failure').length, 2999));
  assert.equal(counter(a, 'unreached'), 3 * 2999);
  assert.deepEqual(got, []);
  assert.equal(a.system.counters().actors, 2);
});

/** To actor 1, with an extension in it. */
const sendOf = (extension: Extension): Uint8Array => kept(pack([7, 1, () => undefined], () => extension));

test('forged references, to nodes and lives there are none of, are references that reach nobody', async (t) => {
  const { a, stranger } = await meshWithStranger(t);
  const { got, ref } = keeper(a, 'public');
  a.actors.register('public', ref);
  for (const forged of [
    packReference({ id: 'n01', incarnation: 1 }, 1),
    packReference({ id: 'nowhere', incarnation: 1 }, 1),
    packReference(a.links.self, 12345),
    packOwn(77),
    packReply(5, 1000),
  ])
    stranger.send(sendOf(forged));
  await eventually(() => assert.equal(got.length, 5));
  const refs = got.slice(0, 3) as ActorRef<string>[];
  for (const one of refs) {
    assert.ok(one instanceof RemoteRef);
    assert.deepEqual(one.tell('x'), { ok: false, reason: 'lost' });
    assert.equal((await one.stopped).kind, 'lost');
  }
  (got[4] as (value: unknown) => void)('once');
  (got[4] as (value: unknown) => void)('twice');
  await eventually(() => assert.equal(ofKind(stranger, 'answer').length, 1));
});

test('names, watches and questions beyond their number are refused and counted, and others notice nothing', async (t) => {
  const { a, b, stranger } = await meshWithStranger(t);
  const all = Array.from({ length: nameLimits.perNode }, (_, at) => [`name-${at}`, at] as const);
  stranger.say({ kind: 'names', all: true, names: all });
  stranger.say({
    kind: 'names',
    all: false,
    names: [
      ['one more', 1],
      ['name-0', 5],
    ],
  });
  await eventually(() => assert.equal(counter(a, 'refused'), 1));
  assert.equal(counter(a, 'namesOfPeers'), nameLimits.perNode);
  const { ref } = keeper(b, 'served');
  b.actors.register('served', ref);
  await eventually(() => assert.equal(a.actors.lookup('served').length, 1));
  for (let actor = 1; actor <= 1000; actor += 1) stranger.say({ kind: 'watch', actor });
  await eventually(() => assert.equal(ofKind(stranger, 'down').length, 1000));
  assert.equal(counter(a, 'watchedByPeers'), 0);
});

test('DOWNs of actors of others, answers to questions of others, and names of others change nothing', async (t) => {
  const { a, b, stranger } = await meshWithStranger(t);
  const { ref } = keeper(b, 'watched');
  b.actors.register('watched', ref);
  await eventually(() => assert.equal(a.actors.lookup('watched').length, 1));
  const remote = a.actors.lookup<unknown>('watched')[0]?.actor;
  assert.ok(remote);
  a.actors.watch(remote, () => assert.fail('it is not down'));
  const asking = remote.ask((reply) => ({ reply }), { deadlineMs: 1000 });
  for (let id = 0; id < 50; id += 1) {
    stranger.say({ kind: 'down', actor: id, reason: 'stopped', detail: '' });
    stranger.send(kept(encode.answer(id, 'forged')));
  }
  stranger.say({ kind: 'unname', name: 'watched' });
  assert.deepEqual(await asking, { ok: false, reason: 'deadline' });
  assert.equal(a.actors.lookup('watched').length, 1);
});

test('a flood of messages to an actor fills its mailbox, which refuses and counts', async (t) => {
  const { a, stranger } = await meshWithStranger(t);
  const { ref } = keeper(a, 'small', 10);
  a.actors.register('small', ref);
  stranger.send(
    Buffer.concat(Array.from({ length: 500 }, () => kept(encode.actor({ kind: 'send', actor: 1, body: 1 })))),
  );
  await eventually(() => assert.equal(counter(a, 'undelivered'), 490));
});

test('a node of the version before hears nothing about actors, and its link stays', async (t) => {
  const { a, stranger } = await meshWithStranger(t, [1]);
  a.actors.register('public', keeper(a, 'public').ref);
  const stop = a.links.onPeer({ up: () => undefined, down: () => assert.fail('the link stays') });
  const known = ['tell', 'ask', 'answer', 'failure', 'beat', 'peers', 'bye'];
  await eventually(() => assert.ok(ofKind(stranger, 'beat').length > 0));
  assert.deepEqual(
    stranger.heard.filter((message) => !known.includes(message.kind)),
    [],
  );
  stop();
});

test('ten thousand mutated frames end at most the link they came over', async (t) => {
  const { a, b, stranger } = await meshWithStranger(t);
  const { ref } = keeper(a, 'public');
  a.actors.register('public', ref);
  const random = seededRandom(11);
  const good: readonly Uint8Array[] = [
    ...(
      [
        { kind: 'send', actor: 1, body: { a: [1, 'x'] } },
        { kind: 'question', actor: 1, id: 3, deadlineMs: 100, body: null },
        { kind: 'watch', actor: 1 },
        { kind: 'unwatch', actor: 1 },
        { kind: 'down', actor: 1, reason: 'failed', detail: 'x' },
        {
          kind: 'names',
          all: true,
          names: [
            ['a', 1],
            ['b', 2],
          ],
        },
        { kind: 'unname', name: 'a' },
        { kind: 'who' },
      ] as const
    ).map((message) => kept(encode.actor(message))),
    sendOf(packReference({ id: 'n00', incarnation: 1 }, 1)),
    sendOf(packReply(4, 100)),
  ];
  const carried = (type: number): unknown => type;
  let sent = 0;
  for (let at = 0; at < 10_000; at += 1) {
    const bytes = Buffer.from(good[at % good.length] ?? []);
    for (let change = 0; change <= at % 3; change += 1)
      bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256);
    assert.equal(typeof decodeFrame(bytes, carried).ok, 'boolean');
    // Those that can be read also go through everything behind the parser.
    const decoded = decodeFrame(bytes);
    if (!decoded.ok || decoded.messages.some((message) => message.kind === 'bye')) continue;
    stranger.send(bytes);
    sent += 1;
  }
  assert.ok(sent > 300, `${sent} were sent`);
  await eventually(() => assert.ok((a.links.counters()['messagesIn'] ?? 0) >= sent));
  assert.deepEqual(stranger.ends, []);
  stranger.send(new Uint8Array([0x92, 7]));
  await eventually(() => assert.match(stranger.ends[0] ?? '', /sent what no node sends/));
  assert.deepEqual(
    a.links.peers().map((peer) => peer.id),
    [b.links.self.id],
  );
});
