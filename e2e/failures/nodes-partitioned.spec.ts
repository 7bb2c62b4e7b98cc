/** Cuts that leave everybody somebody to talk to, and packets lost at random: real processes, real TCP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { sharedMesh, pause, toldAfterMs, untilWhole } from '../namespaces/mesh-for.ts';
import { noNamespaces } from '../namespaces/namespaces.ts';
import { gonesOf, lastWords, membersOf } from '../namespaces/sightings.ts';

const skip = noNamespaces() ?? false;
const whole = sharedMesh();
/** Longer than any verdict takes. */
const longMs = 12_000;

test('torn in two, each part goes on alone; healed, all are members of all within 10 s', { skip }, async (t) => {
  const mesh = await whole();
  mesh.network.cut([0, 1], [2, 3, 4]);
  const sizes = (): number[] => mesh.nodes.map((node) => membersOf(node).size);
  await eventually(() => assert.deepEqual(sizes(), [1, 1, 2, 2, 2]), { withinMs: 10_000 });
  await pause(5000);
  assert.deepEqual(sizes(), [1, 1, 2, 2, 2]);
  mesh.network.heal();
  const healedMs = Date.now();
  await untilWhole(mesh, 10_000);
  t.diagnostic(`whole after ${Date.now() - healedMs} ms`);
});

test(
  'a path that is cut between two nodes, one way or both, kills nobody: the others hear them',
  { skip },
  async () => {
    const mesh = await whole();
    const cutMs = Date.now();
    mesh.network.cutOneWay([1], [2]);
    mesh.network.cut([3], [4]);
    await pause(longMs);
    mesh.network.heal();
    await untilWhole(mesh, 10_000);
    for (const node of mesh.nodes) assert.deepEqual(gonesOf(node, cutMs), [], lastWords(mesh));
  },
);

test('a node nobody hears, though it hears all, is dead for all; heard again it is one of them', { skip }, async () => {
  const mesh = await whole();
  const cutMs = Date.now();
  mesh.network.cutOneWay([0], [1, 2, 3, 4]);
  await toldAfterMs(mesh.others(0), 'n0', cutMs);
  mesh.network.heal();
  await untilWhole(mesh, 10_000);
});

test('with 20 % of all packets lost nobody is taken for dead, and who really is, is', { skip }, async (t) => {
  const mesh = await whole();
  const lossyMs = Date.now();
  mesh.network.lose(20);
  await pause(40_000);
  for (const node of mesh.nodes) assert.deepEqual(gonesOf(node, lossyMs), [], lastWords(mesh));
  const killedMs = Date.now();
  mesh.nodes[2]?.signal('SIGKILL');
  const took = await toldAfterMs(mesh.others(2), 'n2', killedMs);
  t.diagnostic(`a killed node is dead after ${took.join(', ')} ms with 20 % loss`);
  for (const node of mesh.others(2))
    assert.deepEqual(
      gonesOf(node, lossyMs).map(({ about }) => about),
      ['n2'],
    );
});
