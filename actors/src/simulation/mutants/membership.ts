import type { Mutant } from '../mutant.ts';

export const membershipMutants: readonly Mutant[] = [
  {
    name: 'member-older-wins',
    breaks: 'a death of an earlier life is believed of the later one',
    rules: { membership: { isNewer: (claim, than) => claim.state !== than.state } },
    noticedBy: [1, 8],
  },
  {
    name: 'member-no-self-doubt',
    breaks: 'a node that stood still accuses the others at once',
    rules: { membership: { stoodStill: () => false, mayAccuse: () => true } },
    noticedBy: [85, 16],
  },
  {
    name: 'member-hasty',
    breaks: 'a pause of half a second is a death',
    rules: { membership: { isSilent: (ms) => ms >= 500, silentDeath: (ms) => ms >= 500 } },
    noticedBy: [1, 7],
  },
  {
    name: 'member-patient',
    breaks: 'silence is never a death',
    rules: { membership: { silentDeath: () => false } },
    noticedBy: [6, 8],
  },
  {
    name: 'member-slow-kill',
    breaks: 'a killed process is taken for a silent one',
    rules: { membership: { fastDeath: () => false } },
    noticedBy: [1, 11],
  },
  {
    name: 'member-no-refutation',
    breaks: 'a node that was taken for dead does not say that it lives',
    rules: { membership: { refutes: () => undefined } },
    noticedBy: [10, 16],
  },
  {
    name: 'member-no-tombstones',
    breaks: 'the dead are forgotten at once',
    rules: { membership: { keepsTombstone: () => false } },
    noticedBy: [10, 16],
  },
  {
    name: 'member-door-is-all',
    breaks: 'a door that is shut to one is a death, whatever others say',
    rules: { membership: { fastDeath: () => true } },
    noticedBy: [89, 82],
  },
  {
    name: 'member-believes-all',
    breaks: 'a verdict of others is believed of somebody who is heard here',
    rules: { membership: { believes: () => true } },
    noticedBy: [47, 98],
  },
  {
    name: 'member-deaf',
    breaks: 'nobody is cleared by a witness who hears it',
    rules: { membership: { vouches: () => false } },
    noticedBy: [136],
  },
];
