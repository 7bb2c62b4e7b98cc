import type { Mutant } from '../mutant.ts';

export const membershipMutants: readonly Mutant[] = [
  {
    name: 'member-older-wins',
    breaks: 'a death of an earlier life is believed of the later one',
    rules: { membership: { isNewer: (claim, than) => claim.state !== than.state } },
    noticedBy: [],
  },
  {
    name: 'member-no-self-doubt',
    breaks: 'a node that stood still accuses the others at once',
    rules: { membership: { stoodStill: () => false, mayAccuse: () => true } },
    noticedBy: [],
  },
  {
    name: 'member-hasty',
    breaks: 'a pause of half a second is a death',
    rules: { membership: { isSilent: (ms) => ms >= 500, silentDeath: (ms) => ms >= 500 } },
    noticedBy: [],
  },
  {
    name: 'member-patient',
    breaks: 'silence is never a death',
    rules: { membership: { silentDeath: () => false } },
    noticedBy: [],
  },
  {
    name: 'member-slow-kill',
    breaks: 'a killed process is taken for a silent one',
    rules: { membership: { fastDeath: () => false } },
    noticedBy: [],
  },
  {
    name: 'member-no-refutation',
    breaks: 'a node that was taken for dead does not say that it lives',
    rules: { membership: { refutes: () => undefined } },
    noticedBy: [],
  },
  {
    name: 'member-no-tombstones',
    breaks: 'the dead are forgotten at once',
    rules: { membership: { keepsTombstone: () => false } },
    noticedBy: [],
  },
  {
    name: 'member-door-is-all',
    breaks: 'a door that is shut to one is a death, whatever others say',
    rules: { membership: { fastDeath: () => true } },
    noticedBy: [],
  },
  {
    name: 'member-believes-all',
    breaks: 'a verdict of others is believed of somebody who is heard here',
    rules: { membership: { believes: () => true } },
    noticedBy: [],
  },
  {
    name: 'member-deaf',
    breaks: 'nobody is cleared by a witness who hears it',
    rules: { membership: { vouches: () => false } },
    noticedBy: [],
  },
];
