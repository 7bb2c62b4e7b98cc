/** Wrong variants of rules that the simulator must notice. Adding one is an entry in one of these lists. */
import type { Mutant } from './mutant.ts';
import { linkMutants } from './mutants/link.ts';
import { membershipMutants } from './mutants/membership.ts';
import { presenceMutants } from './mutants/presence.ts';
import { sessionMutants } from './mutants/sessions.ts';
import { topicMutants } from './mutants/topics.ts';

export const mutants: readonly Mutant[] = [
  ...linkMutants,
  ...membershipMutants,
  ...presenceMutants,
  ...sessionMutants,
  ...topicMutants,
];
