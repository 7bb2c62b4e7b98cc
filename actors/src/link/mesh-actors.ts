/**
 * The actors of all nodes as one system. An actor is addressed by an `ActorRef` wherever it lives; references and the `reply` of an ask travel
 * in messages, of actors and of endpoints, and arrive as what they are.
 *
 * Invariants:
 * - messages from this node to an actor arrive in the order they were told, at most once, while the link is up; to a node that is not linked,
 *   or not in the life the reference was made in any more, telling fails at once;
 * - an ask comes back once: by the actor's reply, or with why there is none;
 * - a watch gives one DOWN: the actor stopped, or its node or the link to it is lost, or there was nothing to watch;
 * - a peer reaches no actor that was never told of; what it may make this node keep is bounded (`exports.ts`, `names.ts`, `actor-requests.ts`).
 */
import type { ActorRef, ActorSystem, StopReason } from '../system/actor-system.ts';
import { createActorRequests } from './actor-requests.ts';
import { noTrafficCounts } from './actor-traffic-counts.ts';
import { createCarrying } from './carrying.ts';
import { Exports } from './exports.ts';
import type { AnyActor } from './exports.ts';
import type { Links, NodeInfo } from './links.ts';
import { LocalWatches } from './local-watches.ts';
import { Names } from './names.ts';
import { RemoteRef } from './remote-ref.ts';
import { RemoteActors } from './remote-side.ts';
import type { Down } from './watches.ts';

export type Found<M> = { readonly node: NodeInfo; readonly actor: ActorRef<M> };

export type MeshActors = {
  /** Makes a living actor known to all nodes under this name (one per name and node); ends with the actor. Throws when it is taken. */
  register<M>(name: string, actor: ActorRef<M>): () => void;
  /** All living actors of that name that are known now, this node's own first, then by node id. `node` is where each lives. */
  lookup<M>(name: string): readonly Found<M>[];
  /**
   * Calls `down` exactly once, never before it has returned: when the actor stops, its node dies or the link to it is lost, and at once
   * when it is gone already. Returns how to stop watching.
   */
  watch(actor: AnyActor, down: (reason: StopReason) => void): () => void;
  counters(): Record<string, number>;
  close(): void;
};

export type MeshActorsOptions = { readonly links: Links; readonly system: ActorSystem };

const isRemote = (actor: AnyActor): actor is RemoteRef<never> => actor instanceof RemoteRef;

export const startMeshActors = ({ links, system }: MeshActorsOptions): MeshActors => {
  const { self } = links;
  const { clock } = system;
  const log = system.log.child({ room: 'mesh-actors' });
  const counts = noTrafficCounts();
  const names = new Names<RemoteRef<never>>();

  const call = (down: Down, reason: StopReason): void => {
    counts.downs += 1;
    try {
      down(reason);
    } catch (error) {
      counts.watcherFailures += 1;
      log.error({ error }, 'a watcher failed');
    }
  };
  const local = new LocalWatches(call);
  const port = links.attach({
    take: (from, message) => requests.take(from, message),
    pack: (value, to) => carrying.pack(value, to),
    unpack: (type, fields, notes, from) => carrying.unpack(type, fields, notes, from),
  });
  const remote = new RemoteActors({ port, clock, counts, call });
  const exports = new Exports(({ id, watchers }, reason) => {
    for (const [name, own] of names.own) if (own.id === id) unregister(name, id);
    for (const peerId of watchers) requests.sayDown(peerId, id, reason);
  });
  const carrying = createCarrying({ self, port, exports, remote, clock });
  const requests = createActorRequests({ port, exports, names, remote, clock, counts });

  const unregister = (name: string, id: number): void => {
    if (!names.remove(name, id)) return;
    for (const peer of links.peers()) port.send(peer.id, { kind: 'unname', name });
  };

  for (const peer of links.peers()) port.send(peer.id, { kind: 'who' });
  const stopListening = links.onPeer({
    up: (peer) => requests.sayNames(peer.id),
    down: (peer, reason) => {
      requests.forget(peer.id);
      remote.lost(peer, `the link to node ${peer.name} is down: ${reason}`);
    },
  });

  return {
    register: (name, actor) => {
      if (actor instanceof RemoteRef) throw new Error(`name ${name}: its actor lives on another node`);
      const exported = exports.export(actor);
      if (!exported)
        throw new Error(`name ${name}: ${exports.size} actors are known to other nodes, and no more can be`);
      names.add(name, { actor, id: exported.id });
      exported.named = true;
      for (const peer of links.peers()) port.send(peer.id, { kind: 'names', all: false, names: [[name, exported.id]] });
      return () => unregister(name, exported.id);
    },
    lookup: <M>(name: string): readonly Found<M>[] => {
      const own = names.own.get(name);
      const found: Found<M>[] = own ? [{ node: self, actor: own.actor as ActorRef<M> }] : [];
      for (const [nodeId, actor] of names.find(name)) {
        const node = port.linked(nodeId);
        if (node && port.rules.reaches(actor.life, node)) found.push({ node, actor });
      }
      return found;
    },
    watch: (actor, down) => (isRemote(actor) ? remote.watch(actor, down) : local.add(actor, down)),
    counters: () => ({
      ...counts,
      exported: exports.size,
      watchedByPeers: exports.watches,
      watching: remote.watches.size + local.size,
      names: names.own.size,
      namesOfPeers: names.remoteSize,
    }),
    close: () => {
      stopListening();
      local.clear();
      port.detach();
    },
  };
};
