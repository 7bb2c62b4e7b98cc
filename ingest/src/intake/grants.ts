/**
 * How many batches of its backlog each agent may have on the way. Pure; looked at about twice a second.
 *
 * All agents together get what keeps the store busy and no more (`budgetBytes` held in it), because what waits in the store makes new
 * batches wait behind it. While the store is away or failing nothing of a backlog is wanted; otherwise each agent gets at least one, so that
 * none is left behind. Where one for each is more than the store takes (thousands of agents after an outage) they take turns, in groups:
 * what came beyond its room would only be turned away, at the price of reading it.
 *
 * What is granted goes up step by step and comes down at once.
 */
import { window } from './flights.ts';

export type Grant = {
  readonly backlog: number;
  /** Of so many groups one at a time may send of its backlog; a power of two. */
  readonly groups: number;
  readonly groupsChangedMs: number;
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
/** Of ten thousand agents 160 are left; more groups would keep an agent waiting for its turn for many minutes. */
const maxGroups = 64;
const fewerGroupsAfterMs = 8_000;

export const startGrant: Grant = {
  backlog: 0,
  groups: 1,
  groupsChangedMs: 0,
  budgetBytes: 0,
  changedMs: 0,
  failingSinceMs: undefined,
};

const groupsFor = (batches: number, agents: number): number => {
  let groups = 1;
  while (groups < maxGroups && batches * groups < agents) groups *= 2;
  return groups;
};

/**
 * More groups at once; fewer than all agents need only one step after the other: whether they all have had their turn to say that they catch up
 * is not known sooner.
 */
const nextGroups = (before: Grant, nowMs: number, batches: number, sharing: number, sessions: number): number => {
  const groups = groupsFor(batches, sharing);
  if (groups >= before.groups || before.backlog === 0) return groups;
  const forAll = groupsFor(batches, sessions);
  if (before.groups > forAll) return Math.max(groups, forAll);
  return nowMs - before.groupsChangedMs < fewerGroupsAfterMs ? before.groups : before.groups / 2;
};

export const nextGrant = (before: Grant, signs: GrantSigns): Grant => {
  const { nowMs, maxHeldBytes } = signs;
  const failingSinceMs = signs.isFailing ? (before.failingSinceMs ?? nowMs) : undefined;
  const isFailing = failingSinceMs !== undefined && nowMs - failingSinceMs >= failingAfterMs;
  const to = (backlog: number, budgetBytes: number, groups = 1): Grant => {
    const changedMs = backlog === before.backlog ? before.changedMs : nowMs;
    const groupsChangedMs = groups === before.groups ? before.groupsChangedMs : nowMs;
    return { backlog, groups, groupsChangedMs, budgetBytes, changedMs, failingSinceMs };
  };
  const least = maxHeldBytes * leastBudgetPart;
  if (signs.isAway || isFailing) return to(0, least);
  // What failed a moment ago is not known to work: nothing begins again before it does.
  if (before.backlog === 0 && signs.isFailing) return to(0, least);
  const isCrowded = signs.heldBytes > maxHeldBytes * crowdedPart;
  const budgetBytes = isCrowded
    ? Math.max(least, before.budgetBytes / 2)
    : Math.min(maxHeldBytes * budgetPart, Math.max(least, before.budgetBytes * 2));
  // After an outage all of them have a backlog; later those whose turn it is speak for the others.
  const others = before.groups === 1 ? signs.catchingUp : Math.min(signs.sessions, signs.catchingUp * before.groups);
  const sharing = Math.max(1, before.backlog === 0 ? signs.sessions : others);
  const batchHeldBytes = Math.max(1, signs.batchBytes * heldPerByte);
  const fitting = budgetBytes / sharing / batchHeldBytes;
  const roomBytes = isCrowded ? budgetBytes : maxHeldBytes * budgetPart;
  const groups = nextGroups(before, nowMs, roomBytes / batchHeldBytes, sharing, signs.sessions);
  const wanted = steps.findLast((step) => step <= fitting) ?? 1;
  if (wanted <= before.backlog) return to(wanted, budgetBytes, groups);
  if (before.backlog > 0 && nowMs - before.changedMs < raiseAfterMs) return to(before.backlog, budgetBytes, groups);
  const next = before.backlog === 0 ? wanted : (steps.find((step) => step > before.backlog) ?? wanted);
  return to(next, budgetBytes, groups);
};
