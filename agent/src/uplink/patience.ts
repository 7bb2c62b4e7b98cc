/**
 * How long an agent stays with a node that takes nothing of its backlog. One sick node must not hold its agents for ever: after a while the agent
 * connects anew, and the balancer may lead it elsewhere. Pure.
 *
 * Why the store plays no part: an agent cannot know whether it is away for everybody or only for its node; a node says the same in both cases.
 * When it is away for everybody, going costs a handshake and gains nothing: hence minutes, twice as many each time up to a bound, and spread by
 * lot so that a fleet does not move at once. New samples are sent all the while, and what is on the way is sent again.
 */
import { rules as allRules, type UplinkRules } from './rules.ts';

const firstMs = 5 * 60_000;
const lastMs = 40 * 60_000;

export type Patience = {
  /** Since when this connection takes nothing of the backlog that waits. */
  readonly closedSinceMs: number | undefined;
  /** How often it ended, since a node took something. */
  readonly ended: number;
  readonly limitMs: number;
};

export const fullPatience: Patience = { closedSinceMs: undefined, ended: 0, limitMs: firstMs };

/** What the connection takes of a backlog: `none` though there is one, `some`, or nobody knows: there is none, or no connection. */
export type Taken = 'none' | 'some' | 'unknown';

export const wait = (
  patience: Patience,
  taken: Taken,
  now: { readonly nowMs: number; readonly random: () => number },
  rules: Pick<UplinkRules, 'leavesNode'> = allRules,
): { readonly state: Patience; readonly leaves: boolean } => {
  const { ended } = patience;
  if (taken === 'some') return { state: fullPatience, leaves: false };
  if (taken === 'unknown') return { state: { ...patience, closedSinceMs: undefined }, leaves: false };
  if (patience.closedSinceMs === undefined) {
    const limitMs = Math.min(lastMs, firstMs * 2 ** Math.min(ended, 10)) * (0.75 + now.random() / 2);
    return { state: { closedSinceMs: now.nowMs, ended, limitMs }, leaves: false };
  }
  const closedForMs = now.nowMs - patience.closedSinceMs;
  if (!rules.leavesNode({ closedForMs, limitMs: patience.limitMs })) return { state: patience, leaves: false };
  return { state: { ...patience, closedSinceMs: undefined, ended: ended + 1 }, leaves: true };
};
