/**
 * By which time it is judged what is older than what is kept. A clock that is years ahead would empty the store: nothing goes that is not
 * outdated by the newest sample of the store too. A store without samples deletes nothing.
 */
import type { Log } from '@thrum/actors/system/log';
import { dayMs } from './sample-time.ts';

/** `newestMs`: of the newest sample in the store; 0 when there is none. */
export const outdatedByMs = (nowMs: number, newestMs: number, log: Pick<Log, 'warn'>): number => {
  // An index of tomorrow is made ready before midnight, and is known by its last moment.
  const isApart = nowMs - newestMs > dayMs || newestMs - nowMs > 2 * dayMs;
  if (newestMs > 0 && isApart)
    log.warn(
      { now: new Date(nowMs).toISOString(), newestSample: new Date(newestMs).toISOString() },
      'the clock of this node and the newest sample of the store are more than a day apart: only what is outdated by both is deleted',
    );
  return Math.min(nowMs, newestMs);
};
