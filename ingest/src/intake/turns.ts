/**
 * Work that may come all at once, a few pieces of it in each turn of the event loop, so that everybody else has his turn in between. First come,
 * first served. Whoever adds bounds how much waits.
 */
export class Turns {
  readonly #perTurn: number;
  readonly #nextTurn: (run: () => void) => void;
  #waiting: (() => void)[] = [];
  #done = 0;

  constructor(perTurn: number, nextTurn: (run: () => void) => void = setImmediate) {
    this.#perTurn = perTurn;
    this.#nextTurn = nextTurn;
  }

  get size(): number {
    return this.#waiting.length - this.#done;
  }

  /** `work` must not throw: who comes after it would wait for ever. */
  add(work: () => void): void {
    this.#waiting.push(work);
    if (this.size === 1) this.#nextTurn(this.#turn);
  }

  #turn = (): void => {
    const upTo = Math.min(this.#waiting.length, this.#done + this.#perTurn);
    for (const work of this.#waiting.slice(this.#done, upTo)) work();
    this.#done = upTo;
    if (this.size > 0) this.#nextTurn(this.#turn);
    if (this.#done < this.#waiting.length && this.#done < 1000) return;
    this.#waiting = this.#waiting.slice(this.#done);
    this.#done = 0;
  };
}
