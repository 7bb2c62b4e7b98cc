/** The hosts of each cluster, counted. Derived from the merged view; nobody stores it. */
import type { Connection, RosterEntry } from '../wire/roster.ts';

export type ClusterPresence = {
  readonly cluster: string;
  readonly hosts: number;
  readonly byConnection: Readonly<Record<Connection, number>>;
  /** Hosts that are connected and not healthy. */
  readonly degraded: number;
};

const noHosts = (): Record<Connection, number> => ({ connected: 0, silent: 0, reconnecting: 0, down: 0, left: 0 });

/** Sorted by name. */
export const clustersOf = (entries: readonly RosterEntry[]): ClusterPresence[] => {
  const clusters = new Map<string, { hosts: number; byConnection: Record<Connection, number>; degraded: number }>();
  for (const { cluster, connection, degraded } of entries) {
    const known = clusters.get(cluster) ?? { hosts: 0, byConnection: noHosts(), degraded: 0 };
    known.hosts += 1;
    known.byConnection[connection] += 1;
    if (connection === 'connected' && degraded.length > 0) known.degraded += 1;
    clusters.set(cluster, known);
  }
  return [...clusters]
    .map(([cluster, counted]) => ({ cluster, ...counted }))
    .toSorted((one, other) => (one.cluster < other.cluster ? -1 : 1));
};
