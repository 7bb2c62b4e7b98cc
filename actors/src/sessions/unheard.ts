/**
 * Sessions that were signed out here before this node has heard of them: opened behind a link that is cut. When one comes, its end is known
 * already. In memory only, and bounded, for anybody may name ids that are nobody's: beyond it the oldest is given up, counted.
 */
const maxIds = 10_000;

export class Unheard {
  readonly #ids = new Set<string>();
  readonly #max: number;
  #givenUp = 0;

  constructor(max = maxIds) {
    this.#max = max;
  }

  get size(): number {
    return this.#ids.size;
  }

  get givenUp(): number {
    return this.#givenUp;
  }

  note(id: string): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size <= this.#max || oldest === undefined) return;
    this.#ids.delete(oldest);
    this.#givenUp += 1;
  }

  /** True once for an id that was noted: its session has come. */
  take(id: string): boolean {
    return this.#ids.delete(id);
  }
}
