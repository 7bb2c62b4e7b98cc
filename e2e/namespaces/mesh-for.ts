/** A mesh of real processes for the tests of one file, whole before each of them begins and gone after the last, however they end. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { openMesh } from './mesh-in-namespaces.ts';
import type { RealMesh, RealNode } from './mesh-in-namespaces.ts';
import { goneAtMs, isWhole, lastWords } from './sightings.ts';

export const untilWhole = (mesh: RealMesh, withinMs: number): Promise<void> =>
  eventually(() => assert.ok(isWhole(mesh), `not whole:\n${lastWords(mesh)}`), { withinMs });

/**
 * One mesh for all tests of a file: to start one takes longer than many a test. Each test leaves behind what it likes, as long as the mesh can
 * become whole again: healed, and every node that died started anew by who asks for the mesh next.
 */
export const sharedMesh = (hosts = 5): (() => Promise<RealMesh>) => {
  let mesh: RealMesh | undefined;
  after(() => mesh?.close());
  return async () => {
    mesh ??= openMesh(hosts);
    mesh.network.heal();
    for (const node of mesh.nodes) if (node.hasEnded()) mesh.start(node.host);
    // Five processes start, on whatever else the machine does.
    await untilWhole(mesh, 60_000);
    return mesh;
  };
};

/** How long after `sinceMs` each of them was told that `about` is gone. Waits for the last of them, well beyond any bound a test may set. */
export const toldAfterMs = async (nodes: readonly RealNode[], about: string, sinceMs: number): Promise<number[]> => {
  const times = (): (number | undefined)[] => nodes.map((node) => goneAtMs(node, about, sinceMs));
  await eventually(() => times().every((atMs) => atMs !== undefined), { withinMs: 20_000 });
  return times().map((atMs) => (atMs ?? Number.NaN) - sinceMs);
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
