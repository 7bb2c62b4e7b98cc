/**
 * How many batches of its backlog each agent may have on the way. Pure; looked at about twice a second.
 *
 * All agents together get what keeps the store busy and no more (`budgetBytes` held in it), because what waits in the store makes new
 * batches wait behind it. While the store is away or failing nothing of a backlog is wanted; otherwise each agent gets at least one, so that
 * none is left behind.
 *
 * What is granted goes up step by step and comes down at once.
 */
import { window } from './flights.ts';

export type Grant = {
  readonly backlog: number;
  /** What all backlogs together may hold in the store. */
  readonly budgetBytes: number;
  readonly changedMs: number;
  readonly failingSinceMs: number | undefined;
};

export type GrantSigns = {
  readonly nowMs: number;
  readonly isAway: boolean;
  readonly isFailing: boolean;
  readonly heldBytes: number;
  readonly maxHeldBytes: number;
  readonly sessions: number;
  /** Of them, those that sent something of a backlog lately. */
  readonly catchingUp: number;
  /** As it came, on average. */
  readonly batchBytes: number;
};

/** New batches always find a quarter of the window free. */
export const maxBacklog = (window * 3) / 4;
const steps: readonly number[] = [1, 2, 3, 4, 6, 8, maxBacklog];
/** Of what the store may hold: four full bulks on their way and one that is filled. Raising it only makes new batches wait longer to be stored. */
const budgetPart = 1 / 4;
const leastBudgetPart = 1 / 64;
/** Beyond this part the store does not keep up with new batches, let alone old ones. */
const crowdedPart = 1 / 2;
/** Documents are about twice as large as the batch they come in. */
const heldPerByte = 2;
/** One bulk that has to be sent again is no outage. */
const failingAfterMs = 1_000;
const raiseAfterMs = 1_500;

export const startGrant: Grant = { backlog: 0, budgetBytes: 0, changedMs: 0, failingSinceMs: undefined };

export const nextGrant = (before: Grant, signs: GrantSigns): Grant => {
  const { nowMs, maxHeldBytes } = signs;
  const failingSinceMs = signs.isFailing ? (before.failingSinceMs ?? nowMs) : undefined;
  const isFailing = failingSinceMs !== undefined && nowMs - failingSinceMs >= failingAfterMs;
  const to = (backlog: number, budgetBytes: number): Grant => {
    const changedMs = backlog === before.backlog ? before.changedMs : nowMs;
    return { backlog, budgetBytes, changedMs, failingSinceMs };
  };
  const least = maxHeldBytes * leastBudgetPart;
  if (signs.isAway || isFailing) return to(0, least);
  // What failed a moment ago is not known to work: nothing begins again before it does.
  if (before.backlog === 0 && signs.isFailing) return to(0, least);
  const isCrowded = signs.heldBytes > maxHeldBytes * crowdedPart;
  const budgetBytes = isCrowded
    ? Math.max(least, before.budgetBytes / 2)
    : Math.min(maxHeldBytes * budgetPart, Math.max(least, before.budgetBytes * 2));
  // After an outage all of them have a backlog.
  const sharing = Math.max(1, before.backlog === 0 ? signs.sessions : signs.catchingUp);
  const fitting = budgetBytes / sharing / Math.max(1, signs.batchBytes * heldPerByte);
  const wanted = steps.findLast((step) => step <= fitting) ?? 1;
  if (wanted <= before.backlog) return to(wanted, budgetBytes);
  if (before.backlog > 0 && nowMs - before.changedMs < raiseAfterMs) return to(before.backlog, budgetBytes);
  return to(before.backlog === 0 ? wanted : (steps.find((step) => step > before.backlog) ?? wanted), budgetBytes);
};
