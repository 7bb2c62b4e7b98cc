/** Nodes that stand still or are cut off, as real processes: known within 6 s, and accusing nobody when they go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { sharedMesh, pause, toldAfterMs, untilWhole } from '../namespaces/mesh-for.ts';
import { noNamespaces } from '../namespaces/namespaces.ts';
import { gonesOf } from '../namespaces/sightings.ts';

const skip = noNamespaces() ?? false;
const whole = sharedMesh();
const silentWithinMs = 6000;
const stoppedForMs = 15_000;

test(
  'a node stopped for 15 s is dead for all within 6 s; going on it accuses nobody and is one of them again',
  { skip },
  async (t) => {
    const mesh = await whole();
    const stopped = mesh.nodes[2] ?? assert.fail();
    const stoppedMs = Date.now();
    stopped.signal('SIGSTOP');
    const took = await toldAfterMs(mesh.others(2), stopped.id, stoppedMs);
    t.diagnostic(`told after ${took.join(', ')} ms`);
    await pause(stoppedMs + stoppedForMs - Date.now());
    stopped.signal('SIGCONT');
    const resumedMs = Date.now();
    await eventually(() => stopped.events.some(({ event }) => event === 'renewed'), { withinMs: 15_000 });
    await untilWhole(mesh, 15_000);
    t.diagnostic(`one of them again after ${Date.now() - resumedMs} ms`);
    // Long enough for a wrong accusation to become a verdict.
    await pause(8000);
    assert.deepEqual(gonesOf(stopped, stoppedMs), [], 'it accuses nobody');
    for (const node of mesh.others(2))
      assert.deepEqual(
        gonesOf(node, stoppedMs).map(({ about }) => about),
        [stopped.id],
      );
    assert.ok(Math.max(...took) <= silentWithinMs, took.join());
  },
);

test('two observers stopped for a moment or two cause no verdict about anybody', { skip }, async () => {
  const mesh = await whole();
  const begunMs = Date.now();
  const [first, second] = [mesh.nodes[1] ?? assert.fail(), mesh.nodes[3] ?? assert.fail()];
  for (const ms of [500, 1500, 2500]) {
    first.signal('SIGSTOP');
    second.signal('SIGSTOP');
    await pause(ms);
    first.signal('SIGCONT');
    await pause(ms / 2);
    second.signal('SIGCONT');
    await pause(1000);
  }
  await pause(7000);
  for (const node of mesh.nodes) assert.deepEqual(gonesOf(node, begunMs), []);
});

test(
  'a node whose cable is cut is dead for all within 6 s, and they for it; plugged in again all are one',
  { skip },
  async (t) => {
    const mesh = await whole();
    const cutOff = mesh.nodes[4] ?? assert.fail();
    const cutMs = Date.now();
    mesh.network.cut([4], [0, 1, 2, 3]);
    const took = await toldAfterMs(mesh.others(4), cutOff.id, cutMs);
    t.diagnostic(`told after ${took.join(', ')} ms`);
    await eventually(() => gonesOf(cutOff, cutMs).length === 4, { withinMs: 10_000 });
    mesh.network.heal();
    const healedMs = Date.now();
    await untilWhole(mesh, 10_000);
    t.diagnostic(`one again after ${Date.now() - healedMs} ms`);
    assert.ok(Math.max(...took) <= silentWithinMs, took.join());
  },
);
