/**
 * Every decision of this room on which a promise rests, one small function each, so that a test can put a wrong one in its place and see it
 * noticed.
 */
import type { Scheme } from './scheme.ts';

export const signInLimits = {
  /** Attempts of one account that cost no waiting. Raising it helps people who mistype, and people who guess. */
  freeAttempts: 5,
  /** An account whose last failure is this long ago starts anew. */
  accountWindowMs: 15 * 60_000,
  firstWaitMs: 15_000,
  /** Waits never grow beyond this: who keeps guessing at an account must not lock its owner out for ever. */
  longestWaitMs: 5 * 60_000,
  /** Attempts of one address, all accounts together, on one node. */
  addressPerMinute: 20,
  /** How long a link of `thrum user reset` works. */
  resetMs: 60 * 60_000,
  /** Generations are counted in this, so that they stay within what sessions keep (10^9) for centuries. */
  generationStepMs: 10_000,
} as const;

export const rules = {
  /** How long an account waits after its n-th failure in a row. */
  waitMs: (failures: number): number =>
    failures < signInLimits.freeAttempts
      ? 0
      : Math.min(
          signInLimits.longestWaitMs,
          signInLimits.firstWaitMs * 2 ** Math.min(20, failures - signInLimits.freeAttempts),
        ),
  isForgotten: (lastFailureMs: number, nowMs: number): boolean => nowMs - lastFailureMs >= signInLimits.accountWindowMs,
  /** A cookie that anybody on the way could have planted is worth nothing where the way is encrypted. */
  believesPlainCookie: (scheme: Scheme): boolean => scheme === 'http',
  /** What a browser says of where a request comes from; other programs, and browsers on plain http, say nothing. */
  isOwnPage: (fetchSite: string | undefined): boolean => fetchSite === undefined || fetchSite === 'same-origin',
  /** A set-up link works while there is no user, and never again. */
  maySetUp: (users: number): boolean => users === 0,
  isResetValid: (
    reset: { readonly expiresMs: number; readonly generation: number },
    user: { readonly generation: number },
    nowMs: number,
  ): boolean => nowMs < reset.expiresMs && reset.generation === user.generation,
  /**
   * All sessions of the generations before end. Web nodes remember the largest one longer than a store that was restored or made anew: by the
   * clock it is larger than any such store can have given, or nobody could sign in.
   */
  nextGeneration: (generation: number, nowMs: number): number =>
    Math.max(generation + 1, Math.floor(nowMs / signInLimits.generationStepMs)),
} as const;

/** Tests replace one at a time by a wrong variant. */
export type SignInRules = { readonly [K in keyof typeof rules]: (typeof rules)[K] };
