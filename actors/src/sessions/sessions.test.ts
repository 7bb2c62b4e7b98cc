import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from './session-record.ts';
import { sessionLimits } from './rules.ts';
import { accepts, ada, areEqual, nodeAt, startMesh } from './scripted-mesh.contract.ts';
import { SessionsError } from './sessions.ts';

const [one, two, three] = ['h00', 'h01', 'h02'];

test('a session opened on one node is valid on all of them at once', async (t) => {
  const { nodes, settled, until } = await startMesh(t, 5, { delayMs: 25 });
  const { value, tookMs } = await settled(nodeAt(nodes).sessions.open(ada));
  assert.ok(tookMs <= 100, `${tookMs} ms`);
  const spreadMs = await until(() => accepts(nodes, value.sid).every(Boolean));
  assert.ok(tookMs + spreadMs <= 200, `${tookMs + spreadMs} ms`);
  for (const { sessions } of nodes) assert.deepEqual(sessions.check(value.sid), value.session);
  assert.equal(value.session.expiresMs - value.session.createdMs, sessionLimits.lifetimeMs);
  assert.ok(areEqual(nodes));
});

test('alone, nobody is waited for', async (t) => {
  const { nodes, settled } = await startMesh(t, 1);
  const { value, tookMs } = await settled(nodeAt(nodes).sessions.open(ada));
  assert.equal(tookMs, 0);
  assert.equal((await settled(nodeAt(nodes).sessions.revoke(value.session.id))).tookMs, 0);
});

test('ingest nodes are told nothing and not waited for', async (t) => {
  const { nodes, settled } = await startMesh(t, 3, { roles: ['web', 'ingest', 'ingest'] });
  assert.equal((await settled(nodeAt(nodes).sessions.open(ada))).tookMs, 0);
  assert.equal(nodeAt(nodes).sessions.counters()['told'], 0);
});

test('when signing out is answered, no node accepts the session any more, and each says so once', async (t) => {
  const { nodes, settled, pass } = await startMesh(t, 4);
  const { value } = await settled(nodeAt(nodes).sessions.open(ada));
  await pass(100);
  const ends: string[] = [];
  for (const [at, node] of nodes.entries())
    node.sessions.onEnd((session, why) => ends.push(`${at} ${session.user} ${why}`));
  const { tookMs } = await settled(nodeAt(nodes, 2).sessions.revoke(value.session.id));
  assert.ok(tookMs <= 100, `${tookMs} ms`);
  assert.deepEqual(accepts(nodes, value.sid), [false, false, false, false]);
  await pass(10_000);
  assert.deepEqual(
    ends.sort(),
    [0, 1, 2, 3].map((at) => `${at} ada signed-out`),
  );
  assert.deepEqual(nodeAt(nodes).sessions.ofUser('ada'), []);
});

test('a node that does not answer delays a sign-in by 300 ms and a sign-out by a second', async (t) => {
  const { nodes, settled, network, until } = await startMesh(t, 2);
  network.split([one], [two]);
  const { value, tookMs } = await settled(nodeAt(nodes).sessions.open(ada));
  assert.equal(tookMs, 300);
  assert.equal((await settled(nodeAt(nodes).sessions.revoke(value.session.id))).tookMs, 1000);
  network.heal();
  await until(() => areEqual(nodes), 2_000);
  assert.deepEqual(accepts(nodes, value.sid), [false, false]);
});

test('a sign-out on one side of a partition wins within two seconds of its end, whatever was done on the other', async (t) => {
  const { nodes, settled, network, until, pass, isWhole, clock } = await startMesh(t, 3);
  const { value } = await settled(nodeAt(nodes).sessions.open(ada));
  await pass(100);
  network.split([one], [two, three]);
  await until(() => nodeAt(nodes).links.peers().length === 0);
  await settled(nodeAt(nodes).sessions.revoke(value.session.id));
  for (let i = 0; i < 5; i += 1) {
    clock.stepWall(sessionLimits.tellUseEveryMs);
    assert.deepEqual(accepts(nodes, value.sid), [false, true, true], 'available, not strict');
    await pass(1_500);
  }
  network.heal();
  await until(isWhole, 120_000);
  await until(() => areEqual(nodes), 2_000);
  assert.deepEqual(accepts(nodes, value.sid), [false, false, false]);
});

test('sessions opened on both sides of a partition are known everywhere within two seconds of its end', async (t) => {
  const { nodes, settled, network, until, isWhole } = await startMesh(t, 3);
  network.split([one], [two, three]);
  await until(() => nodeAt(nodes).links.peers().length === 0);
  const sids: string[] = [];
  for (let i = 0; i < 90; i += 1) {
    const user = `user ${i % 7}`;
    sids.push((await settled(nodeAt(nodes, i % 3).sessions.open({ user, generation: 1 }))).value.sid);
  }
  network.heal();
  await until(isWhole, 120_000);
  await until(() => areEqual(nodes), 2_000);
  for (const sid of sids) assert.deepEqual(accepts(nodes, sid), [true, true, true]);
});

test('all sessions of a user before a change end, also those a node has not heard of yet', async (t) => {
  const { nodes, settled, network, until, pass, isWhole } = await startMesh(t, 3);
  const { value: known } = await settled(nodeAt(nodes).sessions.open(ada));
  const { value: other } = await settled(nodeAt(nodes).sessions.open({ user: 'bob', generation: 1 }));
  network.split([three], [one, two]);
  await until(() => nodeAt(nodes, 2).links.peers().length === 0);
  const { value: unknown } = await settled(nodeAt(nodes, 2).sessions.open(ada));
  await settled(nodeAt(nodes).sessions.endBefore('ada', 2));
  assert.deepEqual(accepts(nodes, known.sid), [false, false, true]);
  const { value: later } = await settled(nodeAt(nodes).sessions.open({ user: 'ada', generation: 2 }));
  network.heal();
  await until(isWhole, 120_000);
  await until(() => areEqual(nodes), 2_000);
  await pass(100);
  for (const { sid } of [known, unknown]) assert.deepEqual(accepts(nodes, sid), [false, false, false]);
  for (const { sid } of [other, later]) assert.deepEqual(accepts(nodes, sid), [true, true, true]);
  await settled(nodeAt(nodes).sessions.endBefore('ada', 1));
  assert.deepEqual(accepts(nodes, known.sid), [false, false, false], 'it never shrinks');
  await assert.rejects(nodeAt(nodes, 2).sessions.open(ada), (error: unknown) => {
    assert.ok(error instanceof SessionsError);
    assert.equal(error.code, 'user-changed');
    return true;
  });
});

test('a session that the node has not heard of is ended by those that know it', async (t) => {
  const { nodes, settled, network, until, pass } = await startMesh(t, 3);
  // Two and three know it; one is about to hear of it.
  network.splitOneWay(two, one);
  const { value } = await settled(nodeAt(nodes, 1).sessions.open(ada));
  assert.deepEqual(accepts(nodes, value.sid), [false, true, true]);
  await settled(nodeAt(nodes).sessions.revoke(value.session.id));
  network.heal();
  await until(() => areEqual(nodes), 10_000);
  await pass(1_000);
  assert.deepEqual(accepts(nodes, value.sid), [false, false, false]);
});

test('a node that was killed comes back with its sessions, signed-in and signed-out ones', async (t) => {
  const { nodes, settled, pass, kill, startWeb, until, isWhole, disks } = await startMesh(t, 3);
  const { value: stays } = await settled(nodeAt(nodes).sessions.open(ada));
  const { value: goes } = await settled(nodeAt(nodes).sessions.open(ada));
  await settled(nodeAt(nodes).sessions.revoke(goes.session.id));
  await kill(0);
  disks[0]?.lose();
  const { value: while0WasAway } = await settled(nodeAt(nodes, 1).sessions.open(ada));
  await settled(nodeAt(nodes, 1).sessions.revoke(while0WasAway.session.id));
  const again = await startWeb(0);
  assert.deepEqual(accepts([again], stays.sid), [true], 'before it has met anybody');
  assert.deepEqual(accepts([again], goes.sid), [false]);
  await until(isWhole, 120_000);
  await pass(2_000);
  const all = [again, ...nodes.slice(1)];
  assert.ok(areEqual(all));
  assert.deepEqual(accepts(all, stays.sid), [true, true, true]);
  for (const { sid } of [goes, while0WasAway]) assert.deepEqual(accepts(all, sid), [false, false, false]);
});

test('after a power failure of all nodes people are signed in and out as before', async (t) => {
  const { nodes, settled, kill, startWeb, disks, until, isWhole, pass } = await startMesh(t, 2);
  const { value: stays } = await settled(nodeAt(nodes).sessions.open(ada));
  const { value: goes } = await settled(nodeAt(nodes, 1).sessions.open(ada));
  const { value: bob } = await settled(nodeAt(nodes, 1).sessions.open({ user: 'bob', generation: 1 }));
  await settled(nodeAt(nodes, 1).sessions.revoke(goes.session.id));
  await settled(nodeAt(nodes).sessions.endBefore('bob', 2));
  await kill(0);
  await kill(1);
  for (const disk of disks) disk.lose();
  const again = [await startWeb(0), await startWeb(1)];
  for (const sid of [stays.sid]) assert.deepEqual(accepts(again, sid), [true, true]);
  for (const sid of [goes.sid, bob.sid]) assert.deepEqual(accepts(again, sid), [false, false]);
  await until(isWhole, 120_000);
  await pass(2_000);
  assert.ok(areEqual(again));
});

test('use keeps a session alive on all nodes, told at most every ten minutes', async (t) => {
  const { nodes, settled, pass, clock } = await startMesh(t, 2);
  const { value } = await settled(nodeAt(nodes).sessions.open(ada));
  await pass(100);
  const before = nodeAt(nodes).links.counters()['messagesOut'] ?? 0;
  for (let i = 0; i < 1_000; i += 1) assert.ok(nodeAt(nodes).sessions.check(value.sid));
  await pass(1_200);
  assert.ok((nodeAt(nodes).links.counters()['messagesOut'] ?? 0) - before < 20);
  for (let day = 0; day < 20; day += 1) {
    clock.stepWall(86_400_000);
    assert.ok(nodeAt(nodes).sessions.check(value.sid));
    await pass(1_200);
  }
  assert.deepEqual(accepts(nodes, value.sid), [true, true]);
  assert.ok(areEqual(nodes));
});

test('a session ends by idleness after a week and by age after a month, and is forgotten a day later', async (t) => {
  const { nodes, settled, pass, clock } = await startMesh(t, 2);
  const ends: string[] = [];
  for (const node of nodes) node.sessions.onEnd((session, why) => ends.push(`${session.user} ${why}`));
  await settled(nodeAt(nodes).sessions.open({ user: 'idle', generation: 1 }));
  const { value: used } = await settled(nodeAt(nodes).sessions.open({ user: 'used', generation: 1 }));
  for (let day = 0; day < 7; day += 1) {
    clock.stepWall(86_400_000);
    assert.ok(nodeAt(nodes).sessions.check(used.sid));
    await pass(2_000);
  }
  await pass(10_000);
  assert.deepEqual(ends, ['idle idle', 'idle idle']);
  for (let day = 7; day < 30; day += 1) {
    clock.stepWall(86_400_000);
    nodeAt(nodes).sessions.check(used.sid);
    await pass(2_000);
  }
  await pass(10_000);
  assert.deepEqual(ends.slice(2), ['used expired', 'used expired']);
  assert.equal(nodeAt(nodes).sessions.counters()['held'], 2);
  clock.stepWall(sessionLimits.forgetAfterMs);
  await pass(10_000);
  for (const node of nodes) assert.equal(node.sessions.counters()['held'], 0);
});

test('beyond a hundred sessions of a user the oldest is signed out', async (t) => {
  const { nodes, settled, pass } = await startMesh(t, 2);
  const sids: string[] = [];
  for (let i = 0; i < 103; i += 1) {
    sids.push((await settled(nodeAt(nodes).sessions.open(ada))).value.sid);
    await pass(10);
  }
  await pass(100);
  for (const node of nodes) {
    assert.equal(node.sessions.ofUser('ada').length, 100);
    assert.deepEqual(
      sids.filter((sid) => !node.sessions.check(sid)),
      sids.slice(0, 3),
    );
  }
});

test('a cookie that is none is no session, whatever it holds', async (t) => {
  const { nodes, settled } = await startMesh(t, 1);
  const { sessions } = nodeAt(nodes);
  const { value } = await settled(sessions.open(ada));
  for (const sid of ['', 'x', value.session.id, `${value.sid} `, value.sid.slice(1), 'x'.repeat(1e6), '\0'.repeat(43)])
    assert.equal(sessions.check(sid), undefined);
  assert.equal(sessions.isAlive(value.session.id), true);
  assert.equal(sessions.isAlive('x'), false);
  assert.equal(value.session.id, idOf(value.sid));
});

test('the sid is neither on the disk nor in the log', async (t) => {
  const { nodes, settled, disks, said, pass } = await startMesh(t, 2);
  const { value } = await settled(nodeAt(nodes).sessions.open(ada));
  assert.ok(nodeAt(nodes).sessions.check(value.sid));
  await settled(nodeAt(nodes).sessions.revoke(value.session.id));
  await pass(100);
  assert.ok(said.some((line) => line.includes(value.session.id)));
  for (const { disk } of disks) {
    assert.ok(disk.content.includes(value.session.id));
    assert.equal(disk.content.includes(value.sid), false);
  }
  assert.equal(said.join('').includes(value.sid), false);
});

test('a listener that throws is counted and keeps nobody from hearing of the end', async (t) => {
  const { nodes, settled } = await startMesh(t, 1);
  const { sessions } = nodeAt(nodes);
  let heard = 0;
  sessions.onEnd(() => {
    throw new Error('scripted');
  });
  const stop = sessions.onEnd(() => (heard += 1));
  for (let i = 0; i < 2; i += 1) {
    const { value } = await settled(sessions.open(ada));
    await settled(sessions.revoke(value.session.id));
    stop();
  }
  assert.equal(heard, 1);
  assert.equal(sessions.counters()['listenerFailures'], 2);
});
