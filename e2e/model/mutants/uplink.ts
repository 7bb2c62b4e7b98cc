import type { Mutant } from '../mutant.ts';

export const uplinkMutants: readonly Mutant[] = [
  {
    name: 'uplink-forgets-on-busy',
    breaks: 'a batch that the node had no room for is let go of',
    rules: { uplink: { keepsOnBusy: () => false } },
    noticedBy: [39, 192],
  },
  {
    name: 'uplink-no-resend',
    breaks: 'what was on the way when a connection ended is not sent again',
    rules: { uplink: { resendsAfterReconnect: () => false } },
    noticedBy: [2, 3],
  },
  {
    name: 'uplink-cumulative-ack',
    breaks: 'an acknowledgement is taken for everything before it, too',
    rules: { uplink: { isAnswered: ({ ranges }) => ranges.map(([, to]) => [0, to]) } },
    noticedBy: [5, 16],
  },
  {
    name: 'uplink-ignores-pace',
    breaks: 'the backlog is sent whatever ingest says it takes',
    rules: { uplink: { backlogRoom: ({ window, live, backlog }) => window - live - backlog } },
    noticedBy: [26, 39],
  },
  {
    name: 'unreadable-never-given-up',
    breaks: 'a record that no node can read is sent for ever, and nothing behind it comes to its end',
    rules: { uplink: { isUnreadable: () => false } },
    noticedBy: [4],
  },
  {
    name: 'unreadable-with-neighbors',
    breaks: 'a record is given up because it was on the way when a connection ended over another one',
    rules: { uplink: { isUnreadable: () => true } },
    noticedBy: [19],
  },
];
