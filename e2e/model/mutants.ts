/** Wrong variants of rules that the model must notice. Adding one is an entry in one of these lists. */
import type { Mutant } from './mutant.ts';
import { identityMutants } from './mutants/identity.ts';
import { intakeMutants } from './mutants/intake.ts';
import { queueMutants } from './mutants/queue.ts';
import { storeMutants } from './mutants/store.ts';
import { uplinkMutants } from './mutants/uplink.ts';

export const mutants: readonly Mutant[] = [
  ...identityMutants,
  ...intakeMutants,
  ...queueMutants,
  ...storeMutants,
  ...uplinkMutants,
];
