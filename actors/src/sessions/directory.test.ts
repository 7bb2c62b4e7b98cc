import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLog } from '../system/log.ts';
import { startNodes } from '../testing/nodes.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { DirectoryInUse, startSessions } from './sessions.ts';

/** Sessions on real files and in real time, on a node without peers. */
const start = async (t: TestContext, directory: string) => {
  const said: string[] = [];
  const log = createLog({ name: 'test', sink: { write: (line) => void said.push(line) } });
  const mesh = await startNodes(1, { log });
  const [node] = mesh.nodes;
  assert.ok(node);
  const sessions = await startSessions({ links: node.links, system: node.system, directory }).catch(
    async (error: unknown) => {
      await mesh.close();
      throw error;
    },
  );
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await sessions.close();
    await mesh.close();
  };
  t.after(() => (stopped ??= stop()));
  return { sessions, said, stop: () => (stopped ??= stop()) };
};

const ada = { user: 'ada', generation: 1 };

test('after a restart people are signed in and out as before', async (t) => {
  const directory = join(temporaryDirectory(t), 'sessions');
  const first = await start(t, directory);
  const stays = await first.sessions.open(ada);
  const goes = await first.sessions.open(ada);
  const bob = await first.sessions.open({ user: 'bob', generation: 1 });
  await first.sessions.revoke(goes.session.id);
  await first.sessions.endBefore('bob', 2);
  const digest = first.sessions.digest();
  await first.stop();
  const second = await start(t, directory);
  assert.equal(second.sessions.digest(), digest);
  assert.deepEqual(second.sessions.check(stays.sid), stays.session);
  assert.equal(second.sessions.check(goes.sid), undefined);
  assert.equal(second.sessions.check(bob.sid), undefined);
  await assert.rejects(second.sessions.open({ user: 'bob', generation: 1 }), { code: 'user-changed' });
});

test('what was answered is on the disk at that moment', async (t) => {
  const directory = temporaryDirectory(t);
  const { sessions } = await start(t, directory);
  const { session, sid } = await sessions.open(ada);
  const file = join(directory, 'sessions.log');
  assert.ok(readFileSync(file, 'utf8').includes(session.id));
  assert.equal(readFileSync(file, 'utf8').includes(sid), false);
  const before = statSync(file).size;
  await sessions.revoke(session.id);
  assert.ok(statSync(file).size > before);
});

test('a torn file costs its last record and is said, and what follows is kept', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await start(t, directory);
  const stays = await first.sessions.open(ada);
  await first.sessions.open(ada);
  await first.stop();
  const file = join(directory, 'sessions.log');
  truncateSync(file, statSync(file).size - 20);
  const second = await start(t, directory);
  assert.ok(second.said.some((line) => line.includes('damaged')));
  assert.equal(second.sessions.counters()['journalDamaged'], 1);
  assert.ok(second.sessions.check(stays.sid));
  const later = await second.sessions.open(ada);
  await second.stop();
  const third = await start(t, directory);
  assert.equal(third.sessions.counters()['journalDamaged'], 0);
  for (const { sid } of [stays, later]) assert.ok(third.sessions.check(sid));
});

test('where nothing can be written sessions go on in memory, and that is said and counted', async (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  const { sessions, said } = await start(t, join(file, 'sessions'));
  assert.ok(said.some((line) => line.includes('cannot be kept in this directory') && line.includes('ENOTDIR')));
  assert.equal(sessions.counters()['durable'], 0);
  const { sid, session } = await sessions.open(ada);
  assert.ok(sessions.check(sid));
  await sessions.revoke(session.id);
  assert.equal(sessions.check(sid), undefined);
});

test('two processes do not share a directory', async (t) => {
  const directory = temporaryDirectory(t);
  await start(t, directory);
  await assert.rejects(start(t, directory), DirectoryInUse);
});
