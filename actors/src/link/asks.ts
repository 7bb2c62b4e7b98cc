/** Questions under way to peers: each is settled once, by its answer, its deadline, or the end of the link it went over. */
import type { Clock, Timer } from '../system/clock.ts';

export type AskOutcome =
  { ok: true; value: unknown } | { ok: false; reason: 'no-link' | 'full' | 'deadline' | 'failed'; detail: string };

type Pending = { readonly nodeId: string; readonly timer: Timer; settle(outcome: AskOutcome): void };

/** To all peers together. Each costs about 300 bytes until it is settled. */
const maxPending = 20_000;

export class Asks {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** `send` puts the question with this id on its way, or says why not. */
  ask(nodeId: string, deadlineMs: number, send: (id: number) => AskOutcome | undefined): Promise<AskOutcome> {
    if (this.#pending.size >= maxPending)
      return Promise.resolve({ ok: false, reason: 'full', detail: `${maxPending} questions are under way` });
    this.#lastId += 1;
    const id = this.#lastId;
    const refusal = send(id);
    if (refusal) return Promise.resolve(refusal);
    return new Promise((resolve) => {
      const timer = this.#clock.after(deadlineMs, () => {
        this.#pending.delete(id);
        resolve({ ok: false, reason: 'deadline', detail: `no answer within ${deadlineMs} ms` });
      });
      this.#pending.set(id, { nodeId, timer, settle: resolve });
    });
  }

  /** False: nobody waits for this any more, or it was not this node that was asked. */
  settle(nodeId: string, id: number, outcome: AskOutcome): boolean {
    const pending = this.#pending.get(id);
    if (pending?.nodeId !== nodeId) return false;
    this.#finish(id, pending, outcome);
    return true;
  }

  /** The link to a node went down: nobody will answer. */
  lose(nodeId: string, detail: string): void {
    for (const [id, pending] of this.#pending)
      if (pending.nodeId === nodeId) this.#finish(id, pending, { ok: false, reason: 'no-link', detail });
  }

  #finish(id: number, pending: Pending, outcome: AskOutcome): void {
    pending.timer.cancel();
    this.#pending.delete(id);
    pending.settle(outcome);
  }
}
