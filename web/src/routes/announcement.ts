/** What is said aloud of changed states: the host by name when it is few, numbers when it is many, nothing of a late tick. */
import { stateLooks, states, type HostState } from '#lib/hosts/state.ts';

export type Said = { readonly name: string; readonly from: HostState; readonly to: HostState };

const atMostNamed = 3;

export const changesText = (changes: readonly Said[]): string => {
  const worth = changes.filter(({ from, to }) => stateLooks[from].rank !== stateLooks[to].rank);
  if (worth.length <= atMostNamed)
    return worth.map(({ name, to }) => `${name}: ${stateLooks[to].word.toLowerCase()}.`).join(' ');
  const counted = states
    .map((state) => ({ state, hosts: worth.filter(({ to }) => to === state).length }))
    .filter(({ hosts }) => hosts > 0)
    .map(({ state, hosts }) => `${hosts} ${stateLooks[state].word.toLowerCase()}`);
  return `${worth.length} hosts changed: ${counted.join(', ')}.`;
};
