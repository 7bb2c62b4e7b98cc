import type { Mutant } from '../mutant.ts';

export const presenceMutants: readonly Mutant[] = [
  {
    name: 'presence-later-wins',
    breaks: 'of two nodes the one that wrote later is believed, not the one with the later connection of the agent',
    rules: { presence: { isNewer: (one, other) => one.sinceMs > other.sinceMs } },
  },
  {
    name: 'presence-any-wins',
    breaks: 'of two nodes the one with the larger id is believed',
    rules: { presence: { isNewer: (one, other) => one.writer > other.writer } },
  },
  {
    name: 'presence-ghosts',
    breaks: 'what a gone node said of its agents is shown as if it were there',
    rules: { presence: { showsAs: (entry) => entry } },
  },
  {
    name: 'presence-dropped',
    breaks: 'the agents of a gone node are dropped with its document at once',
    rules: { presence: { mayForgetDocument: () => true } },
  },
  {
    name: 'presence-yields-at-once',
    breaks: 'a node that lost an agent removes its entry before all have the newer one',
    rules: { presence: { mayLetGo: () => true } },
  },
  {
    name: 'presence-never-asks',
    breaks: 'what was missed is never asked for',
    rules: { presence: { needsSync: () => 'no' } },
  },
];
