/** What a node knows of the other nodes of the mesh, and how it is told of changes. */
import type { NodeInfo } from '../link/node-info.ts';

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left';

export type Member = {
  readonly node: NodeInfo;
  /** The member's own count: its start at first, larger after each refuted death. It may be ahead of `node.incarnation`. */
  readonly incarnation: number;
  readonly state: MemberState;
  /** Monotonic, of this node. */
  readonly sinceMs: number;
  /** In words for people: what speaks for this state. */
  readonly why: string;
};

export type MembershipListener = {
  /** Also after a restart or a refuted death, with a larger incarnation, and after `gone` of the former one. */
  joined?(node: NodeInfo, incarnation: number): void;
  /** Exactly once per node and incarnation. */
  gone?(node: NodeInfo, incarnation: number, why: 'dead' | 'left'): void;
  /** Every change of state, suspicion included. */
  changed?(member: Member): void;
  /** This very node was declared dead by others and goes on under a larger incarnation: what it published under the old one is void. */
  renewed?(incarnation: number): void;
};
