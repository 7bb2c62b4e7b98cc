/** The hosts in groups: how many each cluster has, and how many of them are not well. */
import { stateLooks, type HostState } from './state.ts';

export type ClusterCount = { readonly cluster: string; readonly hosts: number; readonly unwell: number };

/** The worst state among well hosts: who just waits for a first sample is not ill. */
const wellRank = stateLooks.waiting.rank;

/** By name. A host that left in order is no worry. */
export const countClusters = (
  hosts: Iterable<{ readonly cluster: string; readonly state: HostState }>,
): readonly ClusterCount[] => {
  const counts = new Map<string, { hosts: number; unwell: number }>();
  for (const { cluster, state } of hosts) {
    const count = counts.get(cluster) ?? { hosts: 0, unwell: 0 };
    count.hosts += 1;
    if (stateLooks[state].rank < wellRank) count.unwell += 1;
    counts.set(cluster, count);
  }
  return Array.from(counts, ([cluster, count]) => ({ cluster, ...count })).sort((a, b) =>
    a.cluster < b.cluster ? -1 : 1,
  );
};

/** What to search for to see only this cluster. Words of a search stand apart, so a name of several is searched for word by word. */
export const clusterQuery = (cluster: string): string => (/\s/.test(cluster) ? cluster : `cluster:${cluster}`);
