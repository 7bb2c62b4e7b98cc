/**
 * Whether this node is fit to judge others. Pure. One that was stopped, suspended or starved of processor time sees everybody silent: its
 * ticks tell it, and then it listens for a while before it accuses anybody.
 */
import { pace } from './rules.ts';
import type { MembershipRules } from './rules.ts';

export type SelfDoubt = { readonly tickMs: number; readonly stoodStillMs: number | undefined };

export const noDoubt = (nowMs: number): SelfDoubt => ({ tickMs: nowMs, stoodStillMs: undefined });

/** `lateMs`: time in which this node did not run, which counts against nobody; 0 when it ran as it should. */
export const tickDoubt = (
  doubt: SelfDoubt,
  nowMs: number,
  rules: MembershipRules,
): { doubt: SelfDoubt; lateMs: number } => {
  const lateMs = nowMs - doubt.tickMs - pace.tickMs;
  const stoodStill = rules.stoodStill(lateMs);
  return {
    doubt: { tickMs: nowMs, stoodStillMs: stoodStill ? nowMs : doubt.stoodStillMs },
    lateMs: stoodStill ? lateMs : 0,
  };
};

/** Also while the tick that would tell is overdue itself. */
export const mayAccuse = (doubt: SelfDoubt, nowMs: number, rules: MembershipRules): boolean =>
  !rules.stoodStill(nowMs - doubt.tickMs - pace.tickMs) &&
  rules.mayAccuse(doubt.stoodStillMs === undefined ? undefined : nowMs - doubt.stoodStillMs);
