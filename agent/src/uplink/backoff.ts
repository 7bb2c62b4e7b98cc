/** How long to wait before the next connection: a random time below a limit that doubles (full jitter), so that a fleet spreads out. */

const firstMs = 100;
const maxMs = 30_000;
/** A refusal that only a person can mend is tried again about this often: each try costs both sides one handshake. */
const slowMs = 60_000;
/** A node that asks for patience gets at least this much. */
const politeMs = 1000;

/** `attempt` counts failures in a row from 0; `random` is in [0, 1). */
export const backoffMs = (attempt: number, random: number): number =>
  Math.round(random * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30)));

export const politeBackoffMs = (attempt: number, random: number): number =>
  politeMs + backoffMs(Math.max(attempt, 3), random);

/** Within a quarter of a minute around a minute. */
export const slowBackoffMs = (random: number): number => Math.round(slowMs * (0.75 + random / 2));
