/** How often one peer may make this node go on under a new incarnation. A peer that lies costs a few renewals a minute, not a storm of them. */
const perMinute = 5;
const minuteMs = 60_000;
const maxAccusers = 1000;

export class Accusations {
  readonly #by = new Map<string, number[]>();

  /** False: heard too often from this one; it will say so again. */
  mayRenew(accuserId: string, nowMs: number): boolean {
    const recent = (this.#by.get(accuserId) ?? []).filter((atMs) => nowMs - atMs < minuteMs);
    if (recent.length >= perMinute) return false;
    if (this.#by.size >= maxAccusers) this.#by.clear();
    this.#by.set(accuserId, [...recent, nowMs]);
    return true;
  }
}
