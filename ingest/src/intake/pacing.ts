/**
 * Tells agents how much of their backlog they may send. Who must know at once that it begins or ends for all is told within two seconds, some at
 * a time, so that thousands of sends never hold up the live view; who only gets more or less than before learns it when he sends the next.
 * Where they take turns, the same is done at each turn.
 */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Store } from '../store/store.ts';
import { nextGrant, startGrant } from './grants.ts';
import type { IntakeCounts } from './intake-counts.ts';

/** What a session needs of it. */
export type Pace = {
  /** A number for a session, by which it has its turns. */
  enter(): number;
  /** Batches of its backlog that the agent of this session may have on the way now. */
  backlogOf(session: number): number;
  /** The session sends of a backlog. Returns what to pass with the next. */
  sawBacklog(before: number): number;
};

export type Pacing = Pace & {
  /** Of those whose turn it is. */
  readonly backlog: number;
  gauges(): Record<string, number>;
  close(): void;
};

export type PacingOptions = {
  readonly clock: Clock;
  readonly store: Pick<Store, 'health' | 'onHealth' | 'room'>;
  readonly counts: IntakeCounts;
  readonly sessions: () => number;
  /** Of every session that is open; it tells its agent what is granted now. */
  readonly tells: ReadonlySet<() => void>;
};

const lookEveryMs = 500;
/** A session counts as catching up for two to four seconds after what it sent last: longer than a batch is on its way. */
const periodMs = 2_000;
/** Long enough for several batches, one after the other; raising it keeps the others waiting longer. */
const turnMs = 4_000;
const tellEveryMs = 50;
const tellWithinMs = 2_000;
/** An agent's tick, until some were seen. */
const usualBatchBytes = 8_000;

export const startPacing = ({ clock, store, counts, sessions, tells }: PacingOptions): Pacing => {
  let grant = startGrant;
  let entered = 0;
  let turn = 0;
  let period = { number: 1, sinceMs: clock.monotonicMs(), active: 0, activeBefore: 0 };
  let seen = { batches: 0, bytes: 0 };
  let batchBytes = usualBatchBytes;
  let walk: Iterator<() => void> | undefined;
  let left = 0;
  let telling: Timer | undefined;

  const average = (): number => {
    const batches = counts.batches - seen.batches;
    if (batches >= 100) {
      batchBytes = (counts.batchBytes - seen.bytes) / batches;
      seen = { batches: counts.batches, bytes: counts.batchBytes };
    }
    return batchBytes;
  };

  const look = (): void => {
    const nowMs = clock.monotonicMs();
    if (nowMs - period.sinceMs >= periodMs)
      period = { number: period.number + 1, sinceMs: nowMs, active: 0, activeBefore: period.active };
    const before = grant;
    const turnBefore = turn;
    turn = Math.floor(nowMs / turnMs);
    grant = nextGrant(before, {
      ...store.room(),
      nowMs,
      isAway: store.health().state !== 'ready',
      sessions: sessions(),
      catchingUp: Math.max(period.active, period.activeBefore),
      batchBytes: average(),
    });
    const isOther = (before.backlog === 0) !== (grant.backlog === 0) || before.groups !== grant.groups;
    if (!isOther && (grant.groups === 1 || turn === turnBefore)) return;
    walk ??= tells.values();
    left = tells.size;
    telling ??= clock.every(tellEveryMs, tellSome);
  };

  const tellSome = (): void => {
    const many = Math.max(1, Math.ceil((tells.size * tellEveryMs) / tellWithinMs));
    for (let told = 0; told < many && left > 0; told += 1, left -= 1) {
      let next = walk?.next();
      if (next?.done !== false) {
        walk = tells.values();
        next = walk.next();
      }
      if (next.done !== true) next.value();
    }
    if (left > 0) return;
    walk = undefined;
    telling?.cancel();
    telling = undefined;
  };

  const stopListening = store.onHealth(look);
  const looking = clock.every(lookEveryMs, look);
  look();
  return {
    get backlog() {
      return grant.backlog;
    },
    enter: () => (entered += 1),
    backlogOf: (session) => (session % grant.groups === turn % grant.groups ? grant.backlog : 0),
    sawBacklog: (before) => {
      if (before !== period.number) period.active += 1;
      return period.number;
    },
    gauges: () => ({
      backlogGranted: grant.backlog,
      backlogBudgetBytes: grant.budgetBytes,
      backlogGroups: grant.groups,
      sessionsCatchingUp: Math.max(period.active, period.activeBefore),
    }),
    close: () => {
      stopListening();
      looking.cancel();
      telling?.cancel();
    },
  };
};
