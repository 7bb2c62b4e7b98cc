/**
 * What one simulated agent owes: batches due, on the way, waiting after "busy". Pure: the rules of PROTOCOL.md for a sender, without
 * the queue on disk. The batches themselves are whatever the caller keeps per sequence number (`T`).
 */
export type Waiting<T> = { readonly seq: number; readonly item: T; readonly dueMs: number };
type Flight<T> = { readonly item: T; readonly sentMs: number; readonly first: boolean };

/** Ticks that found the window full and may still be made up for; more are given up and counted. */
const maxOwed = 60;

export class Delivery<T> {
  #window = 0;
  #flying = new Map<number, Flight<T>>();
  #later: Waiting<T>[] = [];
  #nextSeq = 0;
  owed = 0;
  givenUp = 0;

  get inFlight(): number {
    return this.#flying.size;
  }

  get unacknowledged(): number {
    return this.#flying.size + this.#later.length;
  }

  get hasRoom(): boolean {
    return this.#flying.size < this.#window;
  }

  /** A tick: one more batch is owed. */
  tick(): void {
    if (this.owed < maxOwed) this.owed += 1;
    else this.givenUp += 1;
  }

  nextSeq(): number {
    this.#nextSeq += 1;
    return this.#nextSeq - 1;
  }

  sent(seq: number, item: T, nowMs: number, first: boolean): void {
    this.#flying.set(seq, { item, sentMs: nowMs, first });
  }

  /** Takes what may be sent again by now, oldest first; `undefined` when nothing is due. */
  takeDue(nowMs: number): Waiting<T> | undefined {
    const at = this.#later.findIndex((one) => one.dueMs <= nowMs);
    return at < 0 ? undefined : this.#later.splice(at, 1)[0];
  }

  get nextDueMs(): number | undefined {
    return this.#later.length === 0 ? undefined : Math.min(...this.#later.map((one) => one.dueMs));
  }

  /** The batch is stored or refused for good. `undefined` when that was known already. */
  acknowledged(seq: number): Flight<T> | undefined {
    const flight = this.#flying.get(seq);
    if (flight) this.#flying.delete(seq);
    else {
      const at = this.#later.findIndex((one) => one.seq === seq);
      const [late] = at < 0 ? [] : this.#later.splice(at, 1);
      return late && { item: late.item, sentMs: 0, first: false };
    }
    return flight;
  }

  /** Keeps the batch and leaves the window to others until its time has come. */
  busy(seq: number, dueMs: number): boolean {
    const flight = this.#flying.get(seq);
    if (!flight) return false;
    this.#flying.delete(seq);
    this.#later.push({ seq, item: flight.item, dueMs });
    return true;
  }

  /** A hello was answered: what was on the way is sent again, oldest first. */
  welcomed(window: number): void {
    this.#window = window;
  }

  /** The connection is lost: nothing may be sent, and everything without an answer is due again. */
  lost(): void {
    this.#window = 0;
    const back = Array.from(this.#flying, ([seq, { item }]): Waiting<T> => ({ seq, item, dueMs: 0 }));
    this.#flying.clear();
    this.#later = [...back, ...this.#later].sort((a, b) => a.seq - b.seq);
  }
}
