import { rules } from '../../topics/rules.ts';
import type { Mutant } from '../mutant.ts';

export const topicMutants: readonly Mutant[] = [
  {
    name: 'topic-drops-untold',
    breaks: 'nobody is told of publications that were dropped on their way when nothing follows them',
    rules: { topics: { tellsDrops: () => false } },
    noticedBy: [12, 10],
  },
  {
    name: 'topic-gaps-unseen',
    breaks: 'a number that is left out is no gap',
    rules: { topics: { news: (have, number) => (have !== undefined && number <= have ? 'old' : 'next') } },
    noticedBy: [10, 7],
  },
  {
    name: 'topic-never-behind',
    breaks: 'how far a publisher has got says nothing',
    rules: { topics: { isBehind: () => false } },
    noticedBy: [12, 10],
  },
  {
    name: 'topic-begins-whole',
    breaks: 'what was known before a publisher came back is taken for whole',
    rules: { topics: { beginsStale: () => false } },
    noticedBy: [3, 1],
  },
  {
    name: 'topic-keys-not-repeated',
    breaks: 'a value that was not taken by a full outbox is not told again',
    rules: { topics: { repeatsKey: () => false } },
    noticedBy: [12, 10],
  },
  {
    name: 'topic-known-is-enough',
    breaks: 'who was interested before is not told what is retained',
    rules: { topics: { needsAll: (wasInterested) => wasInterested && rules.needsAll(wasInterested) } },
    noticedBy: [3, 1],
  },
  {
    name: 'topic-keeps-forgotten',
    breaks: 'what a publisher has forgotten meanwhile is shown on',
    rules: { topics: { isForgotten: () => false } },
    noticedBy: [54, 97],
  },
];
