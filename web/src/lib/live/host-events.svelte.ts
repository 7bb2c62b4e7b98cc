/**
 * The events of one host in the last days, as its store tells them: asked for when its page opens, again from time to time, and a moment
 * after something happened that probably left one. What was answered stays while the store does not answer.
 */
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Refusal } from '@thrum/actors/wire/refusal';

export const eventTimes = {
  /** What the list shows. */
  rangeMs: 3 * 86_400_000,
  /** A host's clock may be ahead. */
  aheadMs: 10 * 60_000,
  refreshMs: 30_000,
  retryMs: 10_000,
  /** An event takes a moment to the store, and longer while a backlog goes before it. */
  afterHintMs: [2_000, 5_000, 12_000],
  /** Questions of pages that opened in the same moments are the same question, which a web node asks once. */
  gridMs: 10_000,
} as const;

const maxEvents = 200;

export class HostEvents {
  readonly hostId: string;
  /** Newest first; `undefined` before the first answer. */
  list = $state.raw<readonly AgentEvent[] | undefined>(undefined);
  /** There are older ones in the range. */
  more = $state(false);
  /** Why the last question had no answer. */
  refusal = $state.raw<Refusal | undefined>(undefined);
  readonly #ask: (question: EventQuestion) => Promise<EventAnswer | Refusal>;
  #dueMs = Number.NEGATIVE_INFINITY;
  #hinted: number[] = [];
  #isAsking = false;

  constructor(hostId: string, ask: (question: EventQuestion) => Promise<EventAnswer | Refusal>) {
    this.hostId = hostId;
    this.#ask = ask;
  }

  /** To be called often: asks when it is time to. */
  tick(nowMs: number, wallMs: number): void {
    const isHinted = this.#hinted.some((ms) => ms <= nowMs);
    if (this.#isAsking || (nowMs < this.#dueMs && !isHinted)) return;
    this.#hinted = this.#hinted.filter((ms) => ms > nowMs);
    this.#isAsking = true;
    const { rangeMs, aheadMs, gridMs, refreshMs, retryMs } = eventTimes;
    const gridded = Math.ceil(wallMs / gridMs) * gridMs;
    const question: EventQuestion = {
      ask: 'events',
      host: this.hostId,
      fromMs: Math.max(0, gridded - rangeMs),
      toMs: gridded + aheadMs,
      max: maxEvents,
    };
    void this.#ask(question).then((answer) => {
      this.#isAsking = false;
      this.#dueMs = nowMs + (answer.ok ? refreshMs : retryMs);
      this.refusal = answer.ok ? undefined : answer;
      if (!answer.ok) return;
      this.more = answer.more;
      // The same answer again is no reason to draw.
      if (JSON.stringify(answer.events) !== JSON.stringify(this.list)) this.list = answer.events;
    });
  }

  /** Something happened that probably left an event. */
  hint(nowMs: number): void {
    this.#hinted = eventTimes.afterHintMs.map((ms) => nowMs + ms);
  }
}
