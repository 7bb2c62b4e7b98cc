/** Wrong variants of rules, by room: what a mutant puts in the place of the right ones. */
import type { NodeRules } from '../testing/start-node.ts';

export type WrongRules = NodeRules;

export type Mutant = {
  readonly name: string;
  /** What it breaks, in one sentence. */
  readonly breaks: string;
  readonly rules: WrongRules;
};
