/** A mesh of real processes for one test, whole before the test begins and gone after it, however it ends. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { openMesh } from './mesh-in-namespaces.ts';
import type { RealMesh, RealNode } from './mesh-in-namespaces.ts';
import { goneAtMs, isWhole, lastWords } from './sightings.ts';

export const untilWhole = (mesh: RealMesh, withinMs: number): Promise<void> =>
  eventually(() => assert.ok(isWhole(mesh), `not whole:\n${lastWords(mesh)}`), { withinMs });

export const meshFor = async (t: TestContext, hosts = 5): Promise<RealMesh> => {
  const mesh = openMesh(hosts);
  t.after(() => mesh.close());
  // Five processes start, on whatever else the machine does.
  await untilWhole(mesh, 60_000);
  return mesh;
};

/** How long after `sinceMs` each of them was told that `about` is gone. Waits for the last of them, well beyond any bound a test may set. */
export const toldAfterMs = async (nodes: readonly RealNode[], about: string, sinceMs: number): Promise<number[]> => {
  const times = (): (number | undefined)[] => nodes.map((node) => goneAtMs(node, about, sinceMs));
  await eventually(() => times().every((atMs) => atMs !== undefined), { withinMs: 20_000 });
  return times().map((atMs) => (atMs ?? Number.NaN) - sinceMs);
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
