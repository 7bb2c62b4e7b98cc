/** Questions under way to peers: each is settled once, by its answer, its deadline, or the end of the link it went over. */
import type { Clock, Timer } from '../system/clock.ts';
import { rules as linkRules } from './rules.ts';
import type { Life, LinkRules } from './rules.ts';

/** `code`, of an actor that was asked: why there is no answer. */
export type AskOutcome =
  | { ok: true; value: unknown }
  | { ok: false; reason: 'no-link' | 'full' | 'deadline' | 'failed'; detail: string; code?: string };

type Pending = { readonly asked: Life; readonly timer: Timer; settle(outcome: AskOutcome): void };

/** To all peers together. Each costs about 300 bytes until it is settled. */
const maxPending = 20_000;

export class Asks {
  readonly #clock: Clock;
  readonly #rules: Pick<LinkRules, 'mayAnswer'>;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(clock: Clock, rules: Pick<LinkRules, 'mayAnswer'> = linkRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The id of a new question, or undefined when too many are under way. `settle` is called once, unless it is withdrawn before. */
  open(asked: Life, deadlineMs: number, settle: (outcome: AskOutcome) => void): number | undefined {
    if (this.#pending.size >= maxPending) return undefined;
    this.#lastId += 1;
    const id = this.#lastId;
    const timer = this.#clock.after(deadlineMs, () => {
      this.#pending.delete(id);
      settle({ ok: false, reason: 'deadline', detail: `no answer within ${deadlineMs} ms` });
    });
    this.#pending.set(id, { asked, timer, settle });
    return id;
  }

  /** It was not put to anybody. */
  withdraw(id: number): void {
    this.#pending.get(id)?.timer.cancel();
    this.#pending.delete(id);
  }

  /** `send` puts the question with this id on its way, or says why not. */
  ask(asked: Life, deadlineMs: number, send: (id: number) => AskOutcome | undefined): Promise<AskOutcome> {
    return new Promise((resolve) => {
      const id = this.open(asked, deadlineMs, resolve);
      if (id === undefined) {
        resolve({ ok: false, reason: 'full', detail: `${maxPending} questions are under way` });
        return;
      }
      let refusal: AskOutcome | undefined;
      try {
        refusal = send(id);
      } catch (error) {
        this.withdraw(id);
        throw error;
      }
      if (!refusal) return;
      this.withdraw(id);
      resolve(refusal);
    });
  }

  /** False: nobody waits for this any more, or it was not this node that was asked, or not in this life. */
  settle(from: Life, id: number, outcome: AskOutcome): boolean {
    const pending = this.#pending.get(id);
    if (!pending || !this.#rules.mayAnswer(pending.asked, from)) return false;
    this.#finish(id, pending, outcome);
    return true;
  }

  /** The link to a node went down: nobody will answer. */
  lose(nodeId: string, detail: string): void {
    for (const [id, pending] of this.#pending)
      if (pending.asked.id === nodeId) this.#finish(id, pending, { ok: false, reason: 'no-link', detail });
  }

  #finish(id: number, pending: Pending, outcome: AskOutcome): void {
    pending.timer.cancel();
    this.#pending.delete(id);
    pending.settle(outcome);
  }
}
