/**
 * What one connection has on the way to the store, batches and events alike, from their arrival to their acknowledgement.
 *
 * Invariants
 * - At most `window` are on the way; what comes beyond it is answered as busy, and who sends too much beyond it ends as too fast.
 * - Nothing is kept of what the store did not take.
 * - A write under way from an earlier connection of this host is waited for. `rules.ts` says when something is acknowledged.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { WriteOutcome, WriteResult } from '../store/store.ts';
import type { RefusedSamples } from './batch-check.ts';
import type { IntakeCounts } from './intake-counts.ts';
import type { IntakeRules, Stage } from './rules.ts';
import type { UnderWay } from './under-way.ts';

/** Batches an agent may have on the way; 16 fill a path of 100 ms at a hundred batches a second. */
export const window = 16;
/** So many in a second beyond the window come only from who heeds no answer. */
export const maxBeyondWindowPerSecond = window * 4;
const beyondWindowAfterMs = 2_000;

export type Name = { readonly epoch: number; readonly seq: number };

export type FlightsOptions = {
  readonly hostId: string;
  readonly clock: Clock;
  readonly counts: IntakeCounts;
  readonly underWay: UnderWay;
  readonly rules: IntakeRules;
  /** Every sample of it is stored or refused for good. */
  readonly ack: (name: Name, refused: readonly RefusedSamples[]) => void;
  readonly busy: (name: Name, afterMs: number) => void;
  readonly tooFast: () => void;
  /** A write ended with an exception, which none may. */
  readonly broke: (error: unknown) => void;
  /** Nothing is on the way any more. */
  readonly landed: () => void;
};

export class Flights {
  #options: FlightsOptions;
  #onTheWay: Name[] = [];
  #beyond = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };

  constructor(options: FlightsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#onTheWay.length;
  }

  /** It is on the way already, over this connection: the write that is under way will acknowledge it. */
  has({ epoch, seq }: Name): boolean {
    return this.#onTheWay.some((one) => one.seq === seq && one.epoch === epoch);
  }

  /**
   * `again`: it may have been sent over an earlier connection. `refused`: what is known to be refused of it already. `write` gives it to the
   * store.
   */
  take(name: Name, again: boolean, refused: readonly RefusedSamples[], write: () => WriteOutcome): void {
    const { hostId, counts, underWay, rules, busy, broke } = this.#options;
    // The store is slow or away and has enough of this agent: what is new goes on being shown, and comes again later.
    if (this.size >= window) return this.#beyondWindow(name);
    const { epoch, seq } = name;
    this.#reached({ kind: 'received' }, name, refused);
    const earlier = again ? underWay.find(hostId, epoch, seq) : undefined;
    let done = earlier && rules.waitsForUnderWay() ? earlier : undefined;
    if (done) counts.batchesInFlightAgain += 1;
    else {
      const outcome = write();
      if (!outcome.ok) {
        if (rules.isUnderWay(outcome)) this.#onTheWay.push(name);
        return busy(name, outcome.afterMs);
      }
      // Whoever waits for this write is told what was refused when it began: its clock may say something else by now.
      done = outcome.done.then((result) =>
        result.ok && refused.length > 0 ? { ...result, refused: [...refused, ...result.refused] } : result,
      );
      underWay.add(hostId, epoch, seq, done);
    }
    this.#onTheWay.push(name);
    this.#reached({ kind: 'under way', again: done === earlier }, name, refused);
    done.then((result) => this.#land(name, result)).catch(broke);
  }

  #land(name: Name, result: WriteResult): void {
    this.#onTheWay.splice(this.#onTheWay.indexOf(name), 1);
    this.#reached({ kind: 'ended', result }, name, result.ok ? result.refused : []);
    if (this.#onTheWay.length === 0) this.#options.landed();
  }

  #reached(stage: Stage, name: Name, refused: readonly RefusedSamples[]): void {
    if (this.#options.rules.mayAck(stage)) this.#options.ack(name, refused);
  }

  #beyondWindow(name: Name): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#beyond.sinceMs >= 1_000) this.#beyond = { sinceMs: nowMs, count: 0 };
    this.#beyond.count += 1;
    if (this.#beyond.count > maxBeyondWindowPerSecond) this.#options.tooFast();
    else this.#options.busy(name, beyondWindowAfterMs);
  }
}
