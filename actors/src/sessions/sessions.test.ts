import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import { startSessions } from './sessions.ts';

const startMesh = async (t: TestContext, count: number) => {
  const mesh = await startNodes(count, { role: () => 'web' });
  const all = await Promise.all(
    mesh.nodes.map(({ links, system }) => startSessions({ links, system, directory: undefined })),
  );
  t.after(async () => {
    await Promise.all(all.map((one) => one.close()));
    await mesh.close();
  });
  return { mesh, all };
};

test('a session opened on one node is valid on all, and signed out on one it is valid on none', async (t) => {
  const { all } = await startMesh(t, 3);
  const [a, b, c] = all;
  assert.ok(a && b && c);
  const { sid, session } = await a.open({ user: 'ada', generation: 1 });
  await eventually(() => all.every((one) => one.check(sid)?.user === 'ada'));
  await b.revoke(session.id);
  assert.deepEqual(
    all.map((one) => one.check(sid)),
    [undefined, undefined, undefined],
  );
});
