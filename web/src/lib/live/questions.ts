/**
 * Questions about the past, a few at a time: a web node answers one after another and refuses who heaps them up. What waits and is no
 * longer wanted is let go. The newest answer to each key stays until a newer one replaces it.
 */
import type { HistoryOutcome, Question } from '@thrum/actors/wire/question';

/** Under the web node's bound of eight waiting questions for a tab. */
const maxAsked = 4;
/** More than any page has charts; beyond it the oldest question is let go and its chart asks again when it is seen. */
const maxWaiting = 64;

type Waiting = { readonly key: string; readonly question: Question };

export class Questions {
  readonly #ask: (question: Question) => Promise<HistoryOutcome>;
  readonly #answered: (key: string, outcome: HistoryOutcome, question: Question) => void;
  readonly #asked = new Set<string>();
  #waiting: Waiting[] = [];
  #round = 0;

  constructor(
    ask: (question: Question) => Promise<HistoryOutcome>,
    answered: (key: string, outcome: HistoryOutcome, question: Question) => void,
  ) {
    this.#ask = ask;
    this.#answered = answered;
  }

  /** Asks soon; a question that waits under the same key is replaced. */
  add(key: string, question: Question): void {
    this.#waiting = [...this.#waiting.filter((one) => one.key !== key), { key, question }].slice(-maxWaiting);
    this.#next();
  }

  /** Lets go of what waits, and of answers still to come. */
  clear(): void {
    this.#round += 1;
    this.#waiting = [];
    this.#asked.clear();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#asked.size === 0;
  }

  #next(): void {
    while (this.#asked.size < maxAsked) {
      const at = this.#waiting.findIndex((one) => !this.#asked.has(one.key));
      const [next] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) return;
      const round = this.#round;
      this.#asked.add(next.key);
      void this.#ask(next.question).then((outcome) => {
        if (round !== this.#round) return;
        this.#asked.delete(next.key);
        this.#answered(next.key, outcome, next.question);
        this.#next();
      });
    }
  }
}
