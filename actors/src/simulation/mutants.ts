/** Wrong variants of rules that the simulator must notice. Adding one is an entry here. */
import type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'link-order',
    room: 'link',
    breaks: 'what may be dropped overtakes what may not',
    rules: { link: { goesFirst: () => 'droppable' } },
  },
  {
    name: 'link-restarted',
    room: 'link',
    breaks: 'a reference made in an earlier life of a node reaches another actor in a later one',
    rules: { link: { reaches: (made, linked) => linked?.id === made.id } },
  },
  {
    name: 'link-watch-twice',
    room: 'link',
    breaks: 'a watch goes on after its DOWN',
    rules: { link: { endsWatch: () => false } },
  },
  {
    name: 'link-watch-survives',
    room: 'link',
    breaks: 'a watch is not told when the link to its actor is lost',
    rules: { link: { isLostWith: () => false } },
  },
  {
    name: 'link-watch-gone',
    room: 'link',
    breaks: 'who watches an actor that is over already waits for ever',
    rules: { link: { isGone: () => false } },
  },
  {
    name: 'link-lost-with-any',
    room: 'link',
    breaks: 'the loss of any link is a DOWN for all actors that are watched elsewhere',
    rules: { link: { isLostWith: () => true } },
  },
];
