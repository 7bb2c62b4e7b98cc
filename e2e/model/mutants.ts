/** Wrong variants of rules that the model must notice. Adding one is an entry in one of these lists. */
import type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [];
