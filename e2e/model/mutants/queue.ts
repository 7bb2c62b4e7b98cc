import type { Mutant } from '../mutant.ts';

export const queueMutants: readonly Mutant[] = [
  {
    name: 'queue-unsynced-is-safe',
    breaks: 'what was written counts as durable before it is synced',
    rules: { queue: { mayBeSent: () => true } },
    noticedBy: [7, 68],
  },
  {
    name: 'queue-sync-again',
    breaks: 'after a failed sync the same file is used on and synced again',
    rules: { queue: { usesFileAfterError: () => true } },
    noticedBy: [15, 166],
  },
  {
    name: 'queue-names-not-synced',
    breaks: 'the name of a new segment is not made durable',
    rules: { queue: { syncsNewNames: () => false } },
    noticedBy: [1, 7],
  },
  {
    name: 'queue-cumulative-ack',
    breaks: 'an acknowledgement lets go of everything before it',
    rules: { queue: { whatAckLetsGo: ([, to]) => [0, to] } },
    noticedBy: [1, 5],
  },
  {
    name: 'queue-unlink-first',
    breaks: 'a segment is removed before a checkpoint says that it is settled',
    rules: { queue: { mayBeRemoved: () => true } },
    noticedBy: [1330],
  },
  {
    name: 'queue-gap-grows',
    breaks: 'a gap that was told grows',
    rules: { queue: { mayGrow: () => true } },
    noticedBy: [159, 262],
  },
  {
    name: 'queue-gap-told-once',
    breaks: 'a gap is forgotten when an event tells it, though that event may be given up before the store has it',
    rules: { queue: { mayForgetGap: () => true } },
    noticedBy: [146],
  },
  {
    name: 'queue-nothing-unclean',
    breaks: 'the end of a killed agent leaves no gap',
    rules: { queue: { isUnclean: () => false } },
    noticedBy: [1, 6],
  },
];
