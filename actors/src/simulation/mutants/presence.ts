import { rules } from '../../presence/rules.ts';
import type { Mutant } from '../mutant.ts';

export const presenceMutants: readonly Mutant[] = [
  {
    name: 'presence-later-wins',
    breaks: 'of two nodes the one that wrote later is believed, not the one with the later connection of the agent',
    rules: { presence: { isNewer: (one, other) => one.sinceMs > other.sinceMs } },
    noticedBy: [1, 2],
  },
  {
    name: 'presence-any-wins',
    breaks: 'of two nodes the one with the larger id is believed',
    rules: { presence: { isNewer: (one, other) => one.writer > other.writer } },
    noticedBy: [1, 3],
  },
  {
    name: 'presence-ghosts',
    breaks: 'what a gone node said of its agents is shown as if it were there',
    rules: { presence: { showsAs: (entry) => entry } },
    noticedBy: [1, 3],
  },
  {
    name: 'presence-dropped',
    breaks: 'the agents of a gone node are dropped with its document at once',
    rules: { presence: { mayForgetDocument: () => true } },
    noticedBy: [1, 2],
  },
  {
    name: 'presence-yields-at-once',
    breaks: 'a node that lost an agent removes its entry before all have the newer one',
    rules: { presence: { mayLetGo: () => true } },
    noticedBy: [31, 13],
  },
  {
    name: 'presence-never-asks',
    breaks: 'what was missed is never asked for',
    rules: { presence: { needsSync: () => 'no' } },
    noticedBy: [21, 139],
  },
  {
    name: 'presence-takes-all',
    breaks: 'documents of nodes that are gone are taken from anyone',
    rules: { presence: { acceptsDocument: () => true } },
    noticedBy: [31, 17],
  },
  {
    name: 'presence-takes-the-gone',
    breaks: 'a document of a node that is gone is taken from whoever has not heard of its end',
    rules: {
      presence: {
        acceptsDocument: (offered, known) =>
          rules.acceptsDocument(offered, { ...known, isGone: false, incarnation: Infinity }),
      },
    },
    noticedBy: [31, 17],
  },
  {
    name: 'presence-no-heir',
    breaks: 'nobody takes over what a gone node said',
    rules: { presence: { isHeir: () => false } },
    noticedBy: [17, 3],
  },
  {
    name: 'presence-yields-to-any',
    breaks: 'what a node says of an agent that is not here makes way for whatever another says',
    rules: { presence: { yields: (_hostId, own) => own.connection !== 'connected' } },
    noticedBy: [3, 15],
  },
];
