/**
 * Ties a far clock (wall time of a node, in ms) to this page's monotonic clock, so that "now" over there can be told at any moment
 * without asking and without trusting the wall clock here. Small differences are smoothed, as they are transit times; a jump of
 * more than two seconds is a different clock (another node, a clock set) and is taken at once.
 */
const jumpMs = 2000;
const smoothing = 0.1;

export class TimeAnchor {
  #offsetMs: number | undefined;

  /** A message that says `wallMs` arrived at `monotonicMs`. */
  note(wallMs: number, monotonicMs: number): void {
    const offsetMs = wallMs - monotonicMs;
    this.#offsetMs =
      this.#offsetMs === undefined || Math.abs(offsetMs - this.#offsetMs) > jumpMs
        ? offsetMs
        : this.#offsetMs + (offsetMs - this.#offsetMs) * smoothing;
  }

  get known(): boolean {
    return this.#offsetMs !== undefined;
  }

  /** Wall time over there at `monotonicMs`, or `undefined` when nothing was ever heard. */
  at(monotonicMs: number): number | undefined {
    return this.#offsetMs === undefined ? undefined : this.#offsetMs + monotonicMs;
  }
}
