/** What the nodes keep together, over deaths and cuts: presence, sessions and watched actors, on five real processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedMesh, pause, untilWhole } from '../namespaces/mesh-for.ts';
import type { RealMesh, RealNode } from '../namespaces/mesh-in-namespaces.ts';
import { noNamespaces } from '../namespaces/namespaces.ts';
import { agreeAfterMs, downsOf, stateOf, untilSaid } from '../namespaces/sightings.ts';

const skip = noNamespaces() ?? false;
const whole = sharedMesh();
const hostId = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const at = (mesh: RealMesh, host: number): RealNode => mesh.nodes[host] ?? assert.fail(`no node ${host}`);

test(
  'presence is equal on all within 2 s of the last change, and within 10 s of healing a torn mesh',
  { skip },
  async (t) => {
    const mesh = await whole();
    const agents = 50;
    for (let index = 0; index < agents; index += 1)
      at(mesh, index % 5).command({ do: 'put', hostId: hostId(index), connection: 'connected', attempt: 1 });
    const firstMs = await agreeAfterMs(mesh.nodes, 'presence', (state) => state.agents.length === agents);
    mesh.network.cut([0, 1], [2, 3, 4]);
    // The agents connect again, each on its side of the cut.
    for (let index = 0; index < agents; index += 1) {
      const host = index % 2 === 0 ? 0 : 2 + (index % 3);
      at(mesh, host).command({ do: 'put', hostId: hostId(index), connection: 'connected', attempt: 2 });
    }
    await pause(10_000);
    mesh.network.heal();
    const healedMs = await agreeAfterMs(
      mesh.nodes,
      'presence',
      ({ agents: list }) =>
        list.length === agents &&
        list.every((line, index) => line === `${hostId(index)} connected n${index % 2 === 0 ? 0 : 2 + (index % 3)}`),
    );
    t.diagnostic(`equal ${firstMs} ms after the last change, ${healedMs} ms after healing`);
    assert.ok(firstMs <= 2000 && healedMs <= 10_000, `${firstMs}, ${healedMs}`);

    at(mesh, 0).signal('SIGKILL');
    const orphanedMs = await agreeAfterMs(
      mesh.others(0),
      'presence',
      ({ agents: list }) =>
        list.length === agents && list.filter((line) => line.includes(' reconnecting ')).length === 25,
    );
    await agreeAfterMs(
      mesh.others(0),
      'presence',
      ({ agents: list }) => list.filter((line) => line.includes(' down ')).length === 25,
    );
    t.diagnostic(`agents of a killed node are reconnecting ${orphanedMs} ms after`);
  },
);

test(
  'a sign-out wins over a cut: where the node heard nothing of it, the session ends when it is healed',
  { skip },
  async (t) => {
    const mesh = await whole();
    at(mesh, 2).command({ do: 'open', user: 'u1' });
    const { id } = await untilSaid(at(mesh, 2), 'opened');
    const everywhereMs = await agreeAfterMs(
      [2, 3, 4].map((host) => at(mesh, host)),
      'sessions',
      () => true,
    );
    mesh.network.cut([2], [3, 4]);
    at(mesh, 4).command({ do: 'revoke', id });
    await untilSaid(at(mesh, 3), 'ended');
    // Until the links are down, and nothing told over them is still under way.
    await pause(8000);
    assert.ok(at(mesh, 2).events.every(({ event }) => event !== 'ended'));
    mesh.network.heal();
    const healedMs = Date.now();
    await untilSaid(at(mesh, 2), 'ended');
    t.diagnostic(`on all after ${everywhereMs} ms; ended ${Date.now() - healedMs} ms after healing`);
    await agreeAfterMs(
      [2, 3, 4].map((host) => at(mesh, host)),
      'sessions',
      () => true,
    );
  },
);

test(
  'whoever watches an actor of another node is told once that it is gone, killed or stopped',
  { skip },
  async (t) => {
    const mesh = await whole();
    for (const node of mesh.nodes) node.command({ do: 'watch' });
    await agreeAfterMs(
      mesh.nodes,
      undefined,
      ({ watching }) => watching === 4,
      (node) => node.command({ do: 'watch' }),
    );
    const killedMs = Date.now();
    at(mesh, 4).signal('SIGKILL');
    for (const node of mesh.others(4)) await untilSaid(node, 'down');
    const took = mesh.others(4).map((node) => (downsOf(node)[0]?.atMs ?? NaN) - killedMs);
    at(mesh, 3).signal('SIGSTOP');
    const stoppedMs = Date.now();
    for (const node of mesh.others(4, 3)) await untilSaid(node, 'down', 2);
    const tookStopped = mesh.others(4, 3).map((node) => (downsOf(node)[1]?.atMs ?? NaN) - stoppedMs);
    await pause(3000);
    at(mesh, 3).signal('SIGCONT');
    mesh.start(4);
    await untilWhole(mesh, 30_000);
    for (const node of mesh.others(4, 3))
      assert.deepEqual(
        downsOf(node).map(({ about }) => about),
        ['n4', 'n3'],
      );
    t.diagnostic(`killed: told after ${took.join(', ')} ms; stopped: ${tookStopped.join(', ')} ms`);
    assert.ok(Math.max(...took) <= 1000 && Math.max(...tookStopped) <= 6000);
    assert.ok((await stateOf(at(mesh, 0))).counters['disbelieved'] !== undefined);
  },
);
