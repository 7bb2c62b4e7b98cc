/** Wrong variants of rules, by room: what a mutant puts in the place of the right ones. */
import type { IntakeRules } from '../../ingest/src/intake/rules.ts';

export type WrongRules = {
  readonly intake?: Partial<IntakeRules>;
  readonly store?: object;
};

export type Mutant = {
  readonly name: string;
  /** What it breaks, in one sentence. */
  readonly breaks: string;
  readonly rules: WrongRules;
  /** Seeds that noticed it when it was written or the plans changed: tried first, to save time. Empty is right as well. */
  readonly noticedBy: readonly number[];
};
