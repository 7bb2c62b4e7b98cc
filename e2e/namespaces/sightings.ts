/** What nodes said of each other, read off their events. Times are the machine's wall clock. */
import assert from 'node:assert/strict';
import { eventually } from '@thrum/actors/testing/eventually';
import type { MeshNodeEvent } from '@thrum/actors/testing/mesh-node';
import type { RealMesh, RealNode } from './mesh-in-namespaces.ts';

export type Gone = Extract<MeshNodeEvent, { event: 'gone' }>;

/** At or after `sinceMs`. */
export const gonesOf = (node: RealNode, sinceMs = 0): Gone[] =>
  node.events.filter((event) => event.event === 'gone' && event.atMs >= sinceMs) as Gone[];

/** When `node` was first told that `about` is gone, at or after `sinceMs`. */
export const goneAtMs = (node: RealNode, about: string, sinceMs: number): number | undefined =>
  gonesOf(node, sinceMs).find((event) => event.about === about)?.atMs;

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

export type State = Extract<MeshNodeEvent, { event: 'state' }>;
type Named<E extends MeshNodeEvent['event']> = Extract<MeshNodeEvent, { event: E }>;

const said = <E extends MeshNodeEvent['event']>(node: RealNode, event: E): Named<E>[] =>
  node.events.filter((one): one is Named<E> => one.event === event);

/** Resolves with the `count`th event of this name. */
export const untilSaid = async <E extends MeshNodeEvent['event']>(
  node: RealNode,
  event: E,
  count = 1,
): Promise<Named<E>> => {
  await eventually(() => said(node, event).length >= count, { withinMs: 20_000 });
  return said(node, event)[count - 1] ?? assert.fail();
};

export const downsOf = (node: RealNode): Named<'down'>[] => said(node, 'down');

/** What it knows now. */
export const stateOf = (node: RealNode): Promise<State> => {
  const count = said(node, 'state').length + 1;
  node.command({ do: 'state' });
  return untilSaid(node, 'state', count);
};

const askAgainMs = 50;
const giveUpMs = 40_000;

/** How long until all of them say the same of `what`, and each of them `isSo`. `between` is done before they are asked again. */
export const agreeAfterMs = async (
  nodes: readonly RealNode[],
  what: 'presence' | 'sessions' | undefined,
  isSo: (state: State) => boolean,
  between?: (node: RealNode) => void,
): Promise<number> => {
  const startedMs = performance.now();
  for (;;) {
    const states = await Promise.all(nodes.map(stateOf));
    const tookMs = Math.round(performance.now() - startedMs);
    const digests = what === undefined ? [] : states.map((state) => state[what]);
    if (new Set(digests).size <= 1 && states.every(isSo)) return tookMs;
    assert.ok(
      tookMs < giveUpMs,
      `no agreement: ${JSON.stringify(states.map(({ agents, counters: _, ...rest }) => ({ ...rest, agents: agents.length })))}`,
    );
    for (const node of nodes) between?.(node);
    await new Promise((next) => void setTimeout(next, askAgainMs));
  }
};
