/**
 * Who on this node watches which actor of another node. Each watcher hears one DOWN and is forgotten, or stops watching and hears none. The
 * other node is told of the first watcher of an actor and of the last that stopped.
 */
import type { StopReason } from '../system/actor-system.ts';
import type { Life, LinkRules } from './rules.ts';

export type Down = (reason: StopReason) => void;
type Watched = { readonly life: Life; readonly id: number; readonly downs: Set<Down> };

/** By all of this node. */
const maxWatches = 200_000;
const keyOf = (life: Life, id: number): string => `${life.id}/${life.incarnation}/${id}`;

export class Watches {
  readonly #rules: Pick<LinkRules, 'endsWatch' | 'isLostWith'>;
  readonly #watched = new Map<string, Watched>();
  #size = 0;

  constructor(rules: Pick<LinkRules, 'endsWatch' | 'isLostWith'>) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether it is the first of this actor, or undefined when there is no room. */
  add(life: Life, id: number, down: Down): boolean | undefined {
    if (this.#size >= maxWatches) return undefined;
    const key = keyOf(life, id);
    const known = this.#watched.get(key);
    this.#size += 1;
    if (known) known.downs.add(down);
    else this.#watched.set(key, { life, id, downs: new Set([down]) });
    return known === undefined;
  }

  /** True when nobody watches this actor any more, and somebody did. */
  remove(life: Life, id: number, down: Down): boolean {
    const key = keyOf(life, id);
    const watched = this.#watched.get(key);
    if (!watched?.downs.delete(down)) return false;
    this.#size -= 1;
    if (watched.downs.size > 0) return false;
    this.#watched.delete(key);
    return true;
  }

  /** Those to be told that this actor is down. */
  down(life: Life, id: number): Down[] {
    const key = keyOf(life, id);
    const watched = this.#watched.get(key);
    return watched ? this.#end(key, watched) : [];
  }

  /** Those to be told that the link to this node is lost. */
  lost(peer: Life): Down[] {
    const downs: Down[] = [];
    for (const [key, watched] of this.#watched)
      if (this.#rules.isLostWith(watched.life, peer)) downs.push(...this.#end(key, watched));
    return downs;
  }

  #end(key: string, watched: Watched): Down[] {
    if (this.#rules.endsWatch()) {
      this.#watched.delete(key);
      this.#size -= watched.downs.size;
    }
    return [...watched.downs];
  }
}
