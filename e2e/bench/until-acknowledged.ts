/** Waits for a fleet's batches to be terminal. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fleet } from '../../infra/load/fleet.ts';

/** Until at most `left` batches wait for an acknowledgement. Returns after how many milliseconds; throws when it takes longer than `withinMs`. */
export const untilAcknowledged = async (fleet: Fleet, left: number, withinMs: number): Promise<number> => {
  const startedMs = performance.now();
  while (fleet.unacknowledged() > left) {
    if (performance.now() - startedMs > withinMs)
      throw new Error(`${fleet.unacknowledged()} batches are still not acknowledged after ${withinMs / 1000} s`);
    await pause(50);
  }
  return performance.now() - startedMs;
};
