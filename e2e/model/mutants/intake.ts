import type { Mutant } from '../mutant.ts';

export const intakeMutants: readonly Mutant[] = [
  {
    name: 'ack-on-receipt',
    breaks: 'a batch is acknowledged when it arrives',
    rules: { intake: { mayAck: (stage) => stage.kind === 'received' || stage.kind === 'ended' } },
    noticedBy: [1, 2],
  },
  {
    name: 'mark-seen-early',
    breaks: 'a batch that comes again is acknowledged because it was seen, though it is still under way',
    rules: {
      intake: {
        mayAck: (stage) => (stage.kind === 'under way' && stage.again) || (stage.kind === 'ended' && stage.result.ok),
      },
    },
    noticedBy: [13, 16],
  },
  {
    name: 'cumulative-ack',
    breaks: 'an acknowledgement means everything before it, too',
    rules: { intake: { acksExactly: (sorted) => (sorted.length > 0 ? [[0, sorted.at(-1) ?? 0]] : []) } },
    noticedBy: [1, 5],
  },
  {
    name: 'refused-here-not-kept',
    breaks: 'a batch of which every sample is refused is acknowledged without a dead letter',
    rules: { intake: { asksStore: (accepted) => accepted > 0 } },
    noticedBy: [35, 45],
  },
  {
    name: 'busy-is-under-way',
    breaks: 'a batch the store had no room for counts as under way',
    rules: { intake: { isUnderWay: () => true } },
    noticedBy: [39, 192],
  },
];
