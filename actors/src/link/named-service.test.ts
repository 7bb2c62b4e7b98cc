import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import { askService, startService, watchService } from './named-service.ts';

test('a question to a name on a node is answered, at once beside a slow one, and failures are values', async (t) => {
  const all = await startNodes(2);
  t.after(() => all.close());
  const [a, b] = all.nodes;
  assert.ok(a && b);
  const ask = (question: unknown, node = 'n01', deadlineMs = 5000) =>
    askService(a.actors, node, 'doubles', question, { deadlineMs });
  assert.deepEqual(await ask(1), { ok: false, reason: 'no-link', detail: 'node n01 has no doubles' });
  const stop = startService(b, 'doubles', (question) => {
    if (typeof question !== 'number') throw new Error('no number');
    return question < 0 ? new Promise(() => undefined) : question * 2;
  });
  await eventually(async () => assert.deepEqual(await ask(21), { ok: true, value: 42 }));
  const slow = ask(-1, 'n01', 100);
  assert.deepEqual(await ask(4), { ok: true, value: 8 });
  assert.deepEqual(await slow, { ok: false, reason: 'deadline', detail: 'no answer: deadline' });
  assert.deepEqual(await ask('x'), { ok: false, reason: 'failed', detail: 'no number' });
  const downs: string[] = [];
  watchService(a.actors, 'n01', 'doubles', (reason) => void downs.push(reason.kind));
  watchService(a.actors, 'n00', 'doubles', (reason) => void downs.push(`none: ${reason.kind}`));
  await eventually(() => assert.deepEqual(downs, ['none: lost']));
  stop();
  await eventually(() => assert.deepEqual(downs, ['none: lost', 'stopped']));
});
