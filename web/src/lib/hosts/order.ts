/**
 * Which hosts a list shows, and in what order. Unknown values stand after all known ones in either direction: unknown is not zero.
 * Text is compared as people count ("node-2" before "node-10"). Order is total, so equal values never swap places.
 */
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { stateLooks, type HostState } from './state.ts';

export type SortColumn = 'state' | 'name' | 'cpu' | 'memory' | 'disk' | 'load' | 'network';
export type Sort = { readonly by: SortColumn; readonly descending: boolean };

export type Candidate = {
  readonly id: string;
  readonly entry: RosterEntry;
  readonly state: HostState;
  /** Value of a numeric column, `undefined` or NaN when unknown. */
  readonly value: (column: SortColumn) => number | undefined;
};

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

const byName = (a: Candidate, b: Candidate): number =>
  collator.compare(a.entry.machine.name, b.entry.machine.name) || (a.id < b.id ? -1 : 1);

const byValue = (a: number | undefined, b: number | undefined, descending: boolean): number => {
  const knownA = a !== undefined && !Number.isNaN(a);
  const knownB = b !== undefined && !Number.isNaN(b);
  if (!knownA || !knownB) return Number(knownB) - Number(knownA);
  return descending ? b - a : a - b;
};

/** A new list in order. Sorting by state puts the worst first when descending. */
export const inOrder = <C extends Candidate>(candidates: readonly C[], sort: Sort): C[] => {
  const sign = sort.descending ? 1 : -1;
  return [...candidates].sort((a, b) => {
    if (sort.by === 'name') return -sign * byName(a, b);
    if (sort.by === 'state') return sign * (stateLooks[a.state].rank - stateLooks[b.state].rank) || byName(a, b);
    return byValue(a.value(sort.by), b.value(sort.by), sort.descending) || byName(a, b);
  });
};

/**
 * True when every word of the query is found in the host's name, cluster, labels or system. `state:down` asks for a state,
 * `cluster:db` for a cluster, `key=value` for a label.
 */
export const matches = (query: string, entry: RosterEntry, state: HostState): boolean => {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const labels = Object.entries(entry.labels).map(([key, value]) => `${key}=${value}`);
  const text = [entry.machine.name, entry.cluster, entry.machine.os, entry.hostId, ...labels].join('\n').toLowerCase();
  return words.every((word) => {
    if (word.startsWith('state:')) return word.slice(6) === state;
    return word.startsWith('cluster:') ? word.slice(8) === entry.cluster.toLowerCase() : text.includes(word);
  });
};
