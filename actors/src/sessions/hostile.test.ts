import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketCount } from './digest.ts';
import { replicaBounds } from './replica.ts';
import { sessionLimits } from './rules.ts';
import { startMesh } from './scripted-mesh.contract.ts';
import { endpoint, maxPart } from './session-messages.ts';
import { idOf } from './session-record.ts';
import { SessionsError } from './sessions.ts';

const startPair = async (t: Parameters<typeof startMesh>[0], roles?: readonly ('web' | 'ingest')[]) => {
  const mesh = await startMesh(t, 2, { ...(roles && { roles }) });
  const [node, bad = node] = mesh.nodes;
  assert.ok(node && bad);
  const nowMs = mesh.clock.wallMs();
  const session = (name: string, over: readonly unknown[] = []): unknown[] => {
    const fields = [idOf(name), 'ada', 1, nowMs, nowMs + sessionLimits.lifetimeMs, nowMs, 0];
    return fields.map((value, at) => (over[at] === undefined ? value : over[at]));
  };
  const told = async (message: unknown): Promise<unknown> => {
    const { value } = await mesh.settled(bad.links.ask(node.links.self.id, endpoint, message, { deadlineMs: 5_000 }));
    return value.ok ? value.value : value;
  };
  return { ...mesh, node, bad, session, told, nowMs };
};

test('what is no message is refused and counted, and changes nothing', async (t) => {
  const { node, session, told } = await startPair(t);
  const before = node.sessions.digest();
  const good = session('x');
  const place = [0, 'x'];
  const bad: unknown[] = [
    null,
    7,
    'put',
    {},
    [],
    ['drop'],
    ['put'],
    ['put', [], null],
    ['put', {}, []],
    ['put', [good.slice(1)], []],
    ['put', [[...good, 1]], []],
    ['put', [session('x', ['short'])], []],
    ['put', [session('x', [7])], []],
    ['put', [session('x', [undefined, ''])], []],
    ['put', [session('x', [undefined, 'x'.repeat(201)])], []],
    ['put', [session('x', [undefined, undefined, -1])], []],
    ['put', [session('x', [undefined, undefined, 1.5])], []],
    ['put', [session('x', [undefined, undefined, 1e12])], []],
    ['put', [session('x', [undefined, undefined, undefined, 1e17])], []],
    ['put', [session('x', [undefined, undefined, undefined, undefined, 1])], []],
    ['put', [session('x', [undefined, undefined, undefined, undefined, undefined, 'now'])], []],
    ['put', [session('x', [undefined, undefined, undefined, undefined, undefined, undefined, true])], []],
    ['put', [good, null], []],
    ['put', Array.from({ length: maxPart + 1 }, () => good), []],
    ['put', [], [['ada']]],
    ['put', [], [['ada', '2']]],
    ['put', [], [['', 2]]],
    ['put', [], Array.from({ length: maxPart + 1 }, () => ['ada', 1])],
    ['revoke', 7],
    ['revoke', '../../x'],
    ['digest', 7],
    ['digest', 'x'.repeat(1000)],
    ['pull', [bucketCount], null],
    ['pull', [-1], null],
    ['pull', ['x'], null],
    ['pull', Array.from({ length: 1000 }, () => 0), null],
    ['pull', [0], [0]],
    ['pull', [0], [0, 'x'.repeat(1000)]],
    ['pull', [0], [...place, 1]],
    ['pull', [0], 7],
  ];
  for (const message of bad) assert.deepEqual(await told(message), ['refused'], JSON.stringify(message).slice(0, 100));
  assert.equal(node.sessions.counters()['malformed'], bad.length);
  assert.equal(node.sessions.digest(), before);
});

test('a node that is no web node is told nothing and can change nothing', async (t) => {
  const { nodes, all, settled, pass } = await startMesh(t, 2, { roles: ['ingest', 'web'] });
  const [node] = nodes;
  const ingest = all().find((one) => one.links.self.role === 'ingest');
  assert.ok(node && ingest);
  const got: unknown[] = [];
  ingest.links.serve(endpoint, (message) => got.push(message));
  const { value } = await settled(node.sessions.open({ user: 'ada', generation: 1 }));
  for (const message of [
    ['revoke', value.session.id],
    ['put', [], [['ada', 9]]],
    ['pull', [0], null],
    ['digest', ''],
  ]) {
    const asked = ingest.links.ask(node.links.self.id, endpoint, message, { deadlineMs: 5_000 });
    assert.deepEqual((await settled(asked)).value, { ok: true, value: ['refused'] });
  }
  await pass(10_000);
  assert.ok(node.sessions.check(value.sid));
  assert.deepEqual(got, []);
});

test('sessions that live for years and generations of nobody are refused and counted', async (t) => {
  const { node, session, told, nowMs } = await startPair(t);
  const years = session('x', [undefined, undefined, undefined, undefined, nowMs + 400 * 86_400_000]);
  assert.deepEqual(await told(['put', [years], []]), ['put', 0, 1]);
  assert.equal(node.sessions.isAlive(idOf('x')), false);
  assert.equal(node.sessions.counters()['mergedStrange'], 1);
});

test('a copy that takes a sign-out back, prolongs a life or names another user does nothing good for its session', async (t) => {
  const { node, session, told, settled, nowMs } = await startPair(t);
  const { value } = await settled(node.sessions.open({ user: 'ada', generation: 1 }));
  const { id } = value.session;
  const laterMs = nowMs + sessionLimits.lifetimeMs + 5;
  await told(['put', [session('', [id, undefined, undefined, value.session.createdMs, laterMs])], []]);
  assert.equal(node.sessions.check(value.sid)?.expiresMs, value.session.expiresMs);
  await settled(node.sessions.revoke(id));
  await told(['put', [session('', [id])], []]);
  assert.equal(node.sessions.check(value.sid), undefined);
  const { value: other } = await settled(node.sessions.open({ user: 'ada', generation: 1 }));
  await told(['put', [session('', [other.session.id, 'admin'])], []]);
  assert.equal(node.sessions.check(other.sid), undefined, 'nobody rather than another');
});

test('a flood of sessions fills no more than there is room for, and a refused sign-in says why', async (t) => {
  const { node, session, told, settled } = await startPair(t);
  for (let n = 0; n < replicaBounds.heldPerUser; n += maxPart)
    await told(['put', Array.from({ length: maxPart }, (_, i) => session(`ada ${n + i}`)), []]);
  const refused = async (user: string): Promise<string> =>
    node.sessions.open({ user, generation: 1 }).then(
      () => 'opened',
      (error: unknown) => {
        assert.ok(error instanceof SessionsError && error.message.length > 20);
        return error.code;
      },
    );
  assert.equal(await refused('ada'), 'full');
  const { value } = await settled(node.sessions.open({ user: 'bob', generation: 1 }));
  assert.ok(node.sessions.check(value.sid), 'nobody else pays for it');
  const renewed = await settled(node.sessions.open({ user: 'ada', generation: 2 }));
  assert.ok(node.sessions.check(renewed.value.sid), 'a new password makes room');
  for (let n = replicaBounds.heldPerUser; n < replicaBounds.opened; n += maxPart)
    await told(['put', Array.from({ length: maxPart }, (_, i) => session(`${n + i}`, [undefined, `user ${n}`])), []]);
  assert.equal(await refused('bob'), 'full');
  await settled(node.sessions.revoke(value.session.id));
  assert.equal(node.sessions.check(value.sid), undefined, 'signing out works all the same');
});
