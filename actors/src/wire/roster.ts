/**
 * The roster: which hosts each ingest node serves and what is known of them. Kept by presence on every node; web nodes hand it to
 * browsers. (Values are in frames; the roster changes only when something happens to a host.)
 */
import type { Machine } from './agent-to-ingest.ts';

/**
 * What the mesh knows of a host's connection. `live`, `late` and `stale` are decided by who looks, from the age of the data.
 * connected: an agent is connected and heard. silent: connected, nothing heard for 5 s. reconnecting: connection lost for less than
 * 10 s. down: lost for 10 s or silent for 30 s. left: the agent said goodbye.
 */
export type Connection = 'connected' | 'silent' | 'reconnecting' | 'down' | 'left';

export type RosterEntry = {
  readonly hostId: string;
  readonly machine: Machine;
  readonly cluster: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly agentVersion: string;
  readonly periodMs: number;
  readonly connection: Connection;
  /** Since when the connection is in this state, by the ingest node's clock. */
  readonly sinceMs: number;
  /** Ingest's clock less the agent's, measured at hello. Over 500 ms it is shown. */
  readonly clockOffsetMs: number;
  /** Node id of the ingest node that serves or last served the host. */
  readonly node: string;
  /** The agent's epoch, as in its hello. With `attempt` it orders entries of one host that come from different nodes: the larger is newer. */
  readonly epoch: number;
  /** Which connection of that epoch this is. */
  readonly attempt: number;
  /** Why the host is not healthy though it is up, in words for people; empty when it is healthy, and while it is not connected. */
  readonly degraded: readonly string[];
};
