/** What nodes said of each other, read off their events. Times are the machine's wall clock. */
import type { MeshNodeEvent } from '@thrum/actors/testing/mesh-node';
import type { RealMesh, RealNode } from './mesh-in-namespaces.ts';

export type Gone = Extract<MeshNodeEvent, { event: 'gone' }>;

export const gonesOf = (node: RealNode): Gone[] => node.events.filter((event) => event.event === 'gone');

/** When `node` was first told that `about` is gone, at or after `sinceMs`. */
export const goneAtMs = (node: RealNode, about: string, sinceMs: number): number | undefined =>
  gonesOf(node).find((event) => event.about === about && event.atMs >= sinceMs)?.atMs;

/** Whom the node has for members by what it said. */
export const membersOf = (node: RealNode): Set<string> => {
  const members = new Set<string>();
  for (const event of node.events)
    if (event.event === 'joined') members.add(event.about);
    else if (event.event === 'gone') members.delete(event.about);
  return members;
};

export const isWhole = (mesh: RealMesh): boolean =>
  mesh.nodes.every((node) => mesh.others(node.host).every(({ id }) => membersOf(node).has(id)));

/** For messages: the last words of every node. */
export const lastWords = (mesh: RealMesh): string =>
  mesh.nodes.map(({ id, events }) => `${id}: ${JSON.stringify(events.slice(-6))}`).join('\n');
