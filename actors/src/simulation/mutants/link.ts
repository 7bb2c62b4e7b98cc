import type { Mutant } from '../mutant.ts';

export const linkMutants: readonly Mutant[] = [
  {
    name: 'link-order',
    breaks: 'what may be dropped overtakes what may not',
    rules: { link: { goesFirst: () => 'droppable' } },
    noticedBy: [2, 1],
  },
  {
    name: 'link-restarted',
    breaks: 'a reference made in an earlier life of a node reaches another actor in a later one',
    rules: { link: { reaches: (made, linked) => linked?.id === made.id } },
    noticedBy: [17, 18],
  },
  {
    name: 'link-watch-twice',
    breaks: 'a watch goes on after its DOWN',
    rules: { link: { endsWatch: () => false } },
    noticedBy: [2, 3],
  },
  {
    name: 'link-watch-survives',
    breaks: 'a watch is not told when the link to its actor is lost',
    rules: { link: { isLostWith: () => false } },
    noticedBy: [4, 3],
  },
  {
    name: 'link-watch-gone',
    breaks: 'who watches an actor that is over already waits for ever',
    rules: { link: { isGone: () => false } },
    noticedBy: [7, 2],
  },
  {
    name: 'link-lost-with-any',
    breaks: 'the loss of any link is a DOWN for all actors that are watched elsewhere',
    rules: { link: { isLostWith: () => true } },
    noticedBy: [4, 3],
  },
];
