import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { accepts, ada, areEqual, nodeAt, startMesh } from './scripted-mesh.contract.ts';
import { Unheard } from './unheard.ts';

const [one, two, three] = ['h00', 'h01', 'h02'];
const madeUp = (): string => randomBytes(32).toString('base64url');

test('a sign-out wins though the node that knows the session is behind a cut, and the one that was told of it dies', async (t) => {
  const { nodes, settled, network, until, kill } = await startMesh(t, 3);
  network.split([one], [two, three]);
  await until(() => nodeAt(nodes, 0).links.peers().length === 0 && nodeAt(nodes, 1).links.peers().length === 1);
  const { value } = await settled(nodeAt(nodes, 0).sessions.open(ada));
  await settled(nodeAt(nodes, 1).sessions.revoke(value.session.id));
  assert.deepEqual(accepts(nodes, value.sid), [true, false, false]);
  await kill(1);
  network.heal();
  const left = [nodeAt(nodes, 0), nodeAt(nodes, 2)];
  await until(() => areEqual(left) && nodeAt(left, 1).sessions.counters()['held'] === 1, 10_000);
  await until(() => !accepts(left, value.sid).some(Boolean), 2_000);
  await until(() => areEqual(left), 10_000);
});

test('what is remembered of made-up ids is bounded: the oldest is given up and counted', () => {
  const unheard = new Unheard(3);
  for (const id of ['a', 'b', 'c', 'a', 'd']) unheard.note(id);
  assert.deepEqual([unheard.size, unheard.givenUp], [3, 1]);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => unheard.take(id)),
    [true, false, true, true],
  );
  assert.equal(unheard.take('a'), false);
});

test('a flood of sign-outs of made-up sessions leaves room for what others ask', async (t) => {
  const { nodes, settled, network } = await startMesh(t, 2);
  // A node that is paused: every question to it waits.
  network.split([one], [two]);
  const { sessions, links } = nodeAt(nodes, 0);
  const { value } = await settled(sessions.open(ada));
  await settled(sessions.revoke(value.session.id));
  const flood = Array.from({ length: 25_000 }, (_, i) => sessions.revoke(i % 2 === 0 ? madeUp() : value.session.id));
  await Promise.resolve();
  const { value: asked } = await settled(links.ask('n01', 'documents', {}, { deadlineMs: 1000 }));
  assert.ok(!asked.ok);
  assert.equal(asked.reason, 'deadline');
  await settled(Promise.all(flood));
  assert.ok((sessions.counters()['revokesNotSpread'] ?? 0) > 20_000);
});

test('who signs in after a change of the user ends the sessions of before, also where the word of the change was lost', async (t) => {
  const { nodes, settled, network, until, pass, kill } = await startMesh(t, 3);
  const { value: before } = await settled(nodeAt(nodes, 1).sessions.open(ada));
  await pass(100);
  // One changes the user, tells nobody, and never comes back.
  network.split([one], [two, three]);
  await until(() => nodeAt(nodes, 0).links.peers().length === 0);
  await settled(nodeAt(nodes, 0).sessions.endBefore('ada', 2));
  await kill(0);
  const left = [nodeAt(nodes, 1), nodeAt(nodes, 2)];
  assert.deepEqual(accepts(left, before.sid), [true, true]);
  const { value: after } = await settled(nodeAt(nodes, 2).sessions.open({ ...ada, generation: 2 }));
  await until(() => areEqual(left), 10_000);
  assert.deepEqual(accepts(left, before.sid), [false, false]);
  assert.deepEqual(accepts(left, after.sid), [true, true]);
});
