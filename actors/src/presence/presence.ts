/**
 * Which agents, clusters and containers are up, since when, where they are connected and how healthy: the same on every node. Each node writes
 * what it says of the agents it serves into one document of its own and nobody else writes there; all nodes hold all documents and merge them
 * while reading. The document of a node that is gone is void at once and dropped whole.
 */
import type { Links } from '../link/links.ts';
import type { Membership } from '../membership/membership.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import type { Connection, RosterEntry } from '../wire/roster.ts';
import { rules as standardRules } from './rules.ts';
import type { PresenceRules } from './rules.ts';

export type ContainerEntry = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly health: string;
  readonly sinceMs: number;
};

export type ClusterPresence = {
  readonly cluster: string;
  readonly hosts: number;
  readonly byConnection: Readonly<Record<Connection, number>>;
  /** Hosts that are connected and not healthy. */
  readonly degraded: number;
};

export type PresenceChange = { readonly entries: readonly RosterEntry[]; readonly gone: readonly string[] };

export type Presence = {
  /** What this node says of an agent it serves or served last; only to be called on a transition. Replaces what it said before. */
  put(entry: RosterEntry): void;
  /** This node has nothing to say of it any more; its containers go too. */
  remove(hostId: string): void;
  putContainer(hostId: string, container: ContainerEntry): void;
  removeContainer(hostId: string, containerId: string): void;
  /**
   * The merged view, one entry per host over all nodes. While the node that serves a host is gone and no other serves it: 'reconnecting' for
   * 10 s, then 'down', never dropped silently.
   */
  agents(): readonly RosterEntry[];
  agent(hostId: string): RosterEntry | undefined;
  containers(hostId: string): readonly ContainerEntry[];
  clusters(): readonly ClusterPresence[];
  /** Called at once with all there is (if any), then with every change, batched for up to 50 ms. */
  onChange(listener: (change: PresenceChange) => void): () => void;
  /** Equal on all nodes at rest. */
  digest(): string;
  counters(): Record<string, number>;
  close(): void;
};

export type PresenceOptions = {
  links: Links;
  membership: Membership;
  system: ActorSystem;
  rules?: Partial<PresenceRules>;
};

export const startPresence = (options: PresenceOptions): Presence => {
  const rules = { ...standardRules, ...options.rules };
  throw new Error(`presence of ${options.links.self.name} does not stand yet (${Object.keys(rules).length} rules)`);
};
