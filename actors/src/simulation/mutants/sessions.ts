import type { Mutant } from '../mutant.ts';

export const sessionMutants: readonly Mutant[] = [
  {
    name: 'session-sign-out-forgotten',
    breaks: 'a copy that has not heard of a sign-out takes it back',
    rules: { sessions: { mergeRevoked: (one, other) => one && other } },
    noticedBy: [1, 2],
  },
  {
    name: 'session-later-use-wins',
    breaks: 'the other copy wins, whatever it says of a sign-out',
    rules: { sessions: { mergeRevoked: (_one, other) => other } },
    noticedBy: [4, 3],
  },
  {
    name: 'session-early-burial',
    breaks: 'a session that was signed out is forgotten before all copies have expired',
    rules: { sessions: { mayForget: ({ revoked }) => revoked } },
    noticedBy: [3, 1],
  },
  {
    name: 'session-generation-shrinks',
    breaks: 'the smaller generation of a user wins',
    rules: { sessions: { mergeGeneration: (one, other) => Math.min(one, other) } },
    noticedBy: [46, 29],
  },
  {
    name: 'session-generation-ignored',
    breaks: 'sessions of an earlier generation live on',
    rules: { sessions: { isOutdated: () => false } },
    noticedBy: [4, 2],
  },
  {
    name: 'session-answered-early',
    breaks: 'a sign-out is answered before the others know',
    rules: { sessions: { isAnswered: () => true } },
    noticedBy: [9, 3],
  },
  {
    name: 'session-alone',
    breaks: 'a sign-in is answered before any other node has it',
    rules: { sessions: { isOpened: () => true } },
    noticedBy: [3, 36],
  },
  {
    name: 'session-refuses-all',
    breaks: 'nothing is taken from others',
    rules: { sessions: { accepts: () => false } },
    noticedBy: [1, 2],
  },
];
