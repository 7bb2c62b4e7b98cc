/** A node dies, or says goodbye, and every other knows within the time promised: five real processes, each on a host of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedMesh, toldAfterMs, untilWhole } from '../namespaces/mesh-for.ts';
import { noNamespaces } from '../namespaces/namespaces.ts';
import { gonesOf } from '../namespaces/sightings.ts';

const skip = noNamespaces() ?? false;
const whole = sharedMesh();

test(
  'a killed node is dead for all within a second, and one that starts again is a member again',
  { skip },
  async (t) => {
    const mesh = await whole();
    const took: number[] = [];
    for (const host of [4, 0, 2]) {
      const victim = mesh.nodes[host] ?? assert.fail();
      const killedMs = Date.now();
      victim.signal('SIGKILL');
      took.push(...(await toldAfterMs(mesh.others(host), victim.id, killedMs)));
      await victim.ended;
      mesh.start(host);
      await untilWhole(mesh, 10_000);
    }
    t.diagnostic(`told after ${took.join(', ')} ms`);
    assert.ok(Math.max(...took) <= 1000, took.join());
  },
);

test('a node that leaves is gone for all within 200 ms, and nobody raises an alarm', { skip }, async (t) => {
  const mesh = await whole();
  const leaver = mesh.nodes[3] ?? assert.fail();
  const saidMs = Date.now();
  leaver.command({ do: 'leave' });
  const took = await toldAfterMs(mesh.others(3), leaver.id, saidMs);
  await leaver.ended;
  t.diagnostic(`told after ${took.join(', ')} ms`);
  assert.ok(Math.max(...took) <= 200, took.join());
  for (const node of mesh.others(3)) {
    assert.deepEqual(
      gonesOf(node, saidMs).map(({ kind }) => kind),
      ['left'],
    );
    assert.ok(
      node.events.every(
        (event) =>
          event.event !== 'changed' || event.atMs < saidMs || event.state === 'alive' || event.state === 'left',
      ),
    );
  }
});
