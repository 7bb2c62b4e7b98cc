import type { Mutant } from '../mutant.ts';

let made = 0;

export const storeMutants: readonly Mutant[] = [
  {
    name: 'conflict-is-an-error',
    breaks: 'a document that is there already is sent again for ever',
    rules: { store: { meaningOfComparison: (found) => (found === 'other' ? 'refused' : 'again') } },
    noticedBy: [3],
  },
  {
    name: 'conflict-is-trusted',
    breaks: 'a document of the same series and time counts as our own, unread',
    rules: { store: { meaningOf409: () => 'stored' } },
    noticedBy: [134],
  },
  {
    name: 'conflict-is-refused',
    breaks: 'a document that is there already is refused, though it is our own',
    rules: { store: { meaningOf409: (kind) => (kind === 'sample' ? 'refused' : 'stored') } },
    noticedBy: [1, 3],
  },
  {
    name: 'ack-partial',
    breaks: 'a document that was not taken counts as done, because others of its bulk were',
    rules: { store: { isTerminal: () => true } },
    noticedBy: [2, 6],
  },
  {
    name: 'done-when-sent',
    breaks: 'a document is at its end when it was sent',
    rules: { store: { isTerminalBeforeAnswer: () => true } },
    noticedBy: [1, 2],
  },
  {
    name: 'refused-without-letter',
    breaks: 'a refused sample is kept nowhere',
    rules: { store: { keepsRefused: () => false } },
    noticedBy: [7, 9],
  },
  {
    name: 'made-up-ids',
    breaks: 'a sample has a new name whenever it is sent',
    rules: { store: { idOfSample: () => `made up ${(made += 1)}` } },
    noticedBy: [1, 2],
  },
  {
    name: 'rolling-index',
    breaks: 'a sample goes to the index of the moment instead of that of its own time',
    rules: { store: { timeOfIndex: (_sampleMs, nowMs) => nowMs } },
    noticedBy: [2, 12],
  },
  {
    name: 'event-id-not-stable',
    breaks: 'an event has a new name whenever it is sent',
    rules: { store: { idOfEvent: ({ hostId }, id) => `${hostId}:${id}:${(made += 1)}` } },
    noticedBy: [1, 2],
  },
  {
    name: 'letter-id-by-batch',
    breaks: 'dead letters of one batch have one name',
    rules: { store: { idOfLetter: ({ hostId, epoch, seq }) => `${hostId}:${epoch}:${seq}:0` } },
    noticedBy: [7, 9],
  },
];
