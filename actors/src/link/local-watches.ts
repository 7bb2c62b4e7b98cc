/** Watches of actors of this node: one wait for each actor, however many watch it, come and go. */
import type { AnyActor } from './exports.ts';
import type { Down } from './watches.ts';
import type { StopReason } from '../system/actor-system.ts';

export class LocalWatches {
  readonly #call: (down: Down, reason: StopReason) => void;
  readonly #watched = new Map<AnyActor, Set<Down>>();

  constructor(call: (down: Down, reason: StopReason) => void) {
    this.#call = call;
  }

  get size(): number {
    let size = 0;
    for (const downs of this.#watched.values()) size += downs.size;
    return size;
  }

  add(actor: AnyActor, down: Down): () => void {
    // A function of its own for each, so that one that watches twice is called twice.
    const own: Down = (reason) => down(reason);
    let downs = this.#watched.get(actor);
    if (!downs) {
      downs = new Set();
      this.#watched.set(actor, downs);
      void actor.stopped.then((reason) => this.#end(actor, reason));
    }
    downs.add(own);
    return () => void this.#watched.get(actor)?.delete(own);
  }

  clear(): void {
    for (const downs of this.#watched.values()) downs.clear();
  }

  #end(actor: AnyActor, reason: StopReason): void {
    const downs = this.#watched.get(actor) ?? [];
    this.#watched.delete(actor);
    for (const down of downs) this.#call(down, reason);
  }
}
