/** How long to wait before the next try. Pure: `random` is 0 to 1. Jittered, so that nodes that lost the same peer do not return at once. */
export type Backoff = { readonly minMs: number; readonly maxMs: number };

/** `failures` in a row so far, 0 for a first try again. Between half and all of the doubled wait. */
export const waitMs = (backoff: Backoff, failures: number, random: number): number => {
  const fullMs = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(failures, 30));
  return Math.max(backoff.minMs, fullMs * (0.5 + random / 2));
};
