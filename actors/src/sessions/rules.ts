/**
 * Every decision on which a promise about sessions rests, one small function each, so that a test can put a wrong one in its place and see it
 * noticed. Records are states that only ever grow in one direction (revoked, a smaller expiry, a later use, a larger generation), so copies may be
 * merged in any order, any number of times, and come out equal.
 *
 * Clocks of nodes may differ by minutes. Wall time decides only ages of days, so minutes cannot matter: a session ends some minutes earlier
 * or later at one node than at another. What must never depend on clocks does not: that a sign-out wins is `mergeRevoked` and `mergeGeneration`
 * alone. Forgetting waits `forgetAfterMs` beyond the immutable expiry, so that even a clock a day slow has seen the session expire before the
 * last word on its sign-out is thrown away here.
 */
const dayMs = 86_400_000;

export const sessionLimits = {
  /** Absolute: nobody stays signed in longer than a month without showing the password. Also how long a sign-out must be remembered. */
  lifetimeMs: 30 * dayMs,
  /** Unused for a week: a wall display is used all the time, a forgotten laptop is not. */
  idleMs: 7 * dayMs,
  /** Others hear of the use of a session at most this often: 1/1,000 of `idleMs`, and next to no traffic. */
  tellUseEveryMs: 10 * 60_000,
  /** How much slower than ours we allow another node's clock to be before a sign-out could be forgotten too early. */
  forgetAfterMs: dayMs,
  /** A session that expires later than any honest node could have made it, with a clock this far ahead, is refused. */
  aheadMs: dayMs,
} as const;

export const rules = {
  /** Signed out once is signed out: no use, however late, takes it back. */
  mergeRevoked: (one: boolean, other: boolean): boolean => one || other,
  /** Immutable; if two copies differ for any reason, the session ends at the earlier. */
  mergeExpiry: (oneMs: number, otherMs: number): number => Math.min(oneMs, otherMs),
  /** Use keeps a session from being idle and prolongs nothing else. */
  expiryAfterUse: (expiresMs: number, _nowMs: number): number => expiresMs,
  mergeUse: (oneMs: number, otherMs: number): number => Math.max(oneMs, otherMs),
  /** The generation below which a user's sessions are dead never shrinks. */
  mergeGeneration: (one: number, other: number): number => Math.max(one, other),
  isOutdated: (sessionGeneration: number, userGeneration: number): boolean => sessionGeneration < userGeneration,
  isExpired: (expiresMs: number, nowMs: number): boolean => nowMs >= expiresMs,
  isIdle: (usedMs: number, nowMs: number): boolean => nowMs - usedMs >= sessionLimits.idleMs,
  /** True when every other copy has expired as well, also by a slow clock: only then nothing can bring the session back. */
  mayForget: (record: { readonly expiresMs: number; readonly revoked: boolean }, nowMs: number): boolean =>
    nowMs >= record.expiresMs + sessionLimits.forgetAfterMs,
  /** What is taken from others: nothing we forgot or would forget at once, nothing that lives longer than a session may. */
  accepts: (record: { readonly createdMs: number; readonly expiresMs: number }, nowMs: number): boolean =>
    nowMs < record.expiresMs + sessionLimits.forgetAfterMs &&
    record.expiresMs <= record.createdMs + sessionLimits.lifetimeMs &&
    record.expiresMs <= nowMs + sessionLimits.lifetimeMs + sessionLimits.aheadMs,
  isUseTold: (toldMs: number, nowMs: number): boolean => nowMs - toldMs < sessionLimits.tellUseEveryMs,
  /** Whether a sign-in may be answered: somebody else has it, or there is nobody else. */
  isOpened: (confirmed: number, asked: number): boolean => confirmed >= Math.min(1, asked),
  /** Whether a sign-out may be answered before its time is up: everybody reachable knows. */
  isAnswered: (confirmed: number, asked: number): boolean => confirmed >= asked,
} as const;

/** Tests replace one at a time by a wrong variant. */
export type SessionRules = { readonly [K in keyof typeof rules]: (typeof rules)[K] };
