/**
 * Actors of all nodes as one system: references that may travel in messages, names, watches.
 */
import type { ActorRef, ActorSystem, StopReason } from '../system/actor-system.ts';
import type { Links, NodeInfo } from './links.ts';

export type Found<M> = { readonly node: NodeInfo; readonly actor: ActorRef<M> };

export type MeshActors = {
  /** Makes a living actor known to all nodes under this name (one per name and node); ends with the actor. */
  register<M>(name: string, actor: ActorRef<M>): () => void;
  /** All living actors of that name that are known now, this node's own first. `node` is where each lives. */
  lookup<M>(name: string): readonly Found<M>[];
  /**
   * Calls `down` exactly once, never before it has returned: when the actor stops, its node dies or the link to it is lost, and at once
   * when it is gone already. Returns how to stop watching.
   */
  watch(actor: ActorRef<never>, down: (reason: StopReason) => void): () => void;
  counters(): Record<string, number>;
  close(): void;
};

export type MeshActorsOptions = { readonly links: Links; readonly system: ActorSystem };

export const startMeshActors = (_options: MeshActorsOptions): MeshActors => {
  throw new Error('BUG: not written yet');
};
