/**
 * What one simulated agent owes: batches due, on the way, waiting after "busy". Pure: the rules of PROTOCOL.md for a sender, without
 * the queue on disk. What is kept of a batch on the way is up to the caller (`T`). Of one answered as busy nothing is kept but its number and time:
 * nobody has it, so it may be made anew when it is sent again, and thousands of agents can wait out an outage in little memory. One that was
 * on the way when a connection was lost is kept as it is until it is acknowledged: somebody may have it.
 */
export type Waiting<T> = {
  readonly seq: number;
  readonly timeMs: number;
  /** Of a batch whose outcome is not known: it must come again as it was. */
  readonly item: T | undefined;
  readonly dueMs: number;
};
type Flight<T> = {
  readonly timeMs: number;
  readonly item: T;
  readonly sentMs: number;
  readonly first: boolean;
  readonly mayBeThere: boolean;
};

/** What was measured without a connection and waits as its number and time; of more than a day the newest is given up. */
const maxWaiting = 100_000;

export class Delivery<T> {
  #window = 0;
  #backlog = 0;
  #flying = new Map<number, Flight<T>>();
  #backlogFlying = 0;
  /** Oldest first. */
  #later: Waiting<T>[] = [];
  #nextSeq = 0;

  get inFlight(): number {
    return this.#flying.size;
  }

  get unacknowledged(): number {
    return this.#flying.size + this.#later.length;
  }

  get hasRoom(): boolean {
    return this.#flying.size < this.#window;
  }

  /** What was sent before may be sent again now, as far as ingest's pace goes. */
  get hasRoomForBacklog(): boolean {
    return this.hasRoom && this.#backlogFlying < this.#backlog;
  }

  /** Measured while nothing can be sent: it is made and sent later. False: too much waits already. */
  waits(timeMs: number): boolean {
    if (this.#later.length >= maxWaiting) return false;
    this.#later.push({ seq: this.nextSeq(), timeMs, item: undefined, dueMs: 0 });
    return true;
  }

  nextSeq(): number {
    this.#nextSeq += 1;
    return this.#nextSeq - 1;
  }

  sent(
    batch: { readonly seq: number; readonly timeMs: number; readonly item: T },
    nowMs: number,
    first: boolean,
    mayBeThere = false,
  ): void {
    const { seq, timeMs, item } = batch;
    this.#flying.set(seq, { timeMs, item, sentMs: nowMs, first, mayBeThere });
    if (!first) this.#backlogFlying += 1;
  }

  /** Takes what may be sent again by now, oldest first; `undefined` when nothing is due. */
  takeDue(nowMs: number): Waiting<T> | undefined {
    const at = this.#later.findIndex((one) => one.dueMs <= nowMs);
    return at < 0 ? undefined : this.#later.splice(at, 1)[0];
  }

  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#later) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }

  /** The batch is stored or refused for good. `undefined` when that was known already. */
  acknowledged(seq: number): { item: T | undefined; sentMs: number; first: boolean } | undefined {
    const flight = this.#land(seq);
    if (flight) return { item: flight.item, sentMs: flight.sentMs, first: flight.first };
    const at = this.#later.findIndex((one) => one.seq === seq);
    const [late] = at < 0 ? [] : this.#later.splice(at, 1);
    return late && { item: late.item, sentMs: 0, first: false };
  }

  /** The batch leaves the window to others until its time has come. Returns what was kept of it and is not any more. */
  busy(seq: number, dueMs: number): { item: T | undefined } | undefined {
    const flight = this.#land(seq);
    if (!flight) return undefined;
    const { timeMs, item, mayBeThere } = flight;
    const waiting: Waiting<T> = { seq, timeMs, item: mayBeThere ? item : undefined, dueMs };
    // Almost always the newest of them.
    const at = this.#later.findLastIndex((one) => one.seq < seq) + 1;
    if (at === this.#later.length) this.#later.push(waiting);
    else this.#later.splice(at, 0, waiting);
    return { item: mayBeThere ? undefined : item };
  }

  /** A hello was answered: what was on the way is sent again, oldest first. A node without `backlog` takes as much as the window does. */
  welcomed(window: number, backlog = window): void {
    this.#window = window;
    this.#backlog = backlog;
  }

  paced(backlog: number): void {
    this.#backlog = backlog;
  }

  /** The connection is lost: nothing may be sent, and everything without an answer is due again. */
  lost(): void {
    this.#window = 0;
    const back = Array.from(this.#flying, ([seq, { timeMs, item }]): Waiting<T> => ({ seq, timeMs, item, dueMs: 0 }));
    this.#flying.clear();
    this.#backlogFlying = 0;
    if (back.length > 0) this.#later = [...back, ...this.#later].sort((a, b) => a.seq - b.seq);
  }

  #land(seq: number): Flight<T> | undefined {
    const flight = this.#flying.get(seq);
    if (!flight) return undefined;
    this.#flying.delete(seq);
    if (!flight.first) this.#backlogFlying -= 1;
    return flight;
  }
}
