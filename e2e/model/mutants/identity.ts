import type { Mutant } from '../mutant.ts';

export const identityMutants: readonly Mutant[] = [
  {
    name: 'no-epoch',
    breaks: 'every start of the agent has the epoch of the first',
    rules: { identity: { nextEpoch: (stored, wallMs) => Number(stored ?? Math.floor(wallMs / 1000)) } },
    noticedBy: [1, 6],
  },
  {
    name: 'epoch-by-clock',
    breaks: 'the epoch is the clock, which may have been set back',
    rules: { identity: { nextEpoch: (_stored, wallMs) => Math.floor(wallMs / 1000) } },
    noticedBy: [136, 147],
  },
  {
    name: 'sample-time-forgotten',
    breaks: 'a start does not know the time of the last sample, so that a clock set back makes some times twice',
    rules: { identity: { lastSampleMs: () => undefined } },
    noticedBy: [17, 107],
  },
];
