/**
 * The actors of this node that others may reach: those a reference or a name of which was told. An id stands for one actor for ever, and for
 * nothing once it has stopped; what was never told has none, so no made-up id reaches it. Remembers which peers watch whom.
 */
import type { ActorRef, StopReason } from '../system/actor-system.ts';

export const exportBounds = {
  /** Of this node to all others. */
  actors: 200_000,
  /** Of actors of this node by one peer. */
  watchesPerPeer: 20_000,
} as const;

export type Exported = {
  readonly id: number;
  readonly actor: ActorRef<unknown>;
  named: boolean;
  readonly watchers: Set<string>;
};

/** As references travel, whatever they take. */
export type AnyActor = ActorRef<never>;

export class Exports {
  readonly #onStopped: (exported: Exported, reason: StopReason) => void;
  readonly #byActor = new Map<object, Exported>();
  readonly #byId = new Map<number, Exported>();
  readonly #watched = new Map<string, Set<number>>();
  #lastId = 0;

  /** `onStopped` is called once for each that has stopped; its id is nobody's by then. */
  constructor(onStopped: (exported: Exported, reason: StopReason) => void) {
    this.#onStopped = onStopped;
  }

  get size(): number {
    return this.#byId.size;
  }

  get watches(): number {
    let watches = 0;
    for (const ids of this.#watched.values()) watches += ids.size;
    return watches;
  }

  get(id: number): Exported | undefined {
    return this.#byId.get(id);
  }

  /** Undefined when there is no room for another. */
  export(actor: AnyActor): Exported | undefined {
    const known = this.#byActor.get(actor);
    if (known) return known;
    if (this.#byId.size >= exportBounds.actors) return undefined;
    this.#lastId += 1;
    const exported: Exported = {
      id: this.#lastId,
      actor: actor,
      named: false,
      watchers: new Set(),
    };
    this.#byActor.set(actor, exported);
    this.#byId.set(exported.id, exported);
    void actor.stopped.then((reason) => {
      this.#byActor.delete(actor);
      this.#byId.delete(exported.id);
      for (const peerId of exported.watchers) this.#watched.get(peerId)?.delete(exported.id);
      this.#onStopped(exported, reason);
    });
    return exported;
  }

  /** False: this peer watches too many already. */
  watch(exported: Exported, peerId: string): boolean {
    const ids = this.#watched.get(peerId) ?? new Set<number>();
    if (!ids.has(exported.id) && ids.size >= exportBounds.watchesPerPeer) return false;
    this.#watched.set(peerId, ids.add(exported.id));
    exported.watchers.add(peerId);
    return true;
  }

  unwatch(id: number, peerId: string): void {
    this.#watched.get(peerId)?.delete(id);
    this.#byId.get(id)?.watchers.delete(peerId);
  }

  /** A peer is gone, and all its watches with it. */
  forget(peerId: string): void {
    for (const id of this.#watched.get(peerId) ?? []) this.#byId.get(id)?.watchers.delete(peerId);
    this.#watched.delete(peerId);
  }
}
