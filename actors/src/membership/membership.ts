/** Who belongs to the mesh now, as one node sees it. */
import type { Links } from '../link/links.ts';
import type { NodeInfo } from '../link/node-info.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import type { Member, MembershipListener } from './member.ts';
import { rules as soundRules } from './rules.ts';
import type { MembershipRules } from './rules.ts';

export type { Member, MembershipListener, MemberState } from './member.ts';

export type Membership = {
  readonly self: NodeInfo;
  /** Our own: the start's at first, larger after each refuted death. */
  incarnation(): number;
  /** All others that are alive or suspect. */
  members(): readonly Member[];
  /** Declared dead or left at that incarnation or a later one. */
  isGone(nodeId: string, incarnation: number): boolean;
  /** `joined` is called at once for those there already. */
  onChange(listener: MembershipListener): () => void;
  /** Tells everybody that this node goes on purpose; resolves when told. */
  leave(): Promise<void>;
  counters(): Record<string, number>;
  close(): void;
};

export type MembershipOptions = { links: Links; system: ActorSystem; rules?: Partial<MembershipRules> };

export const startMembership = (options: MembershipOptions): Membership => {
  const rules: MembershipRules = { ...soundRules, ...options.rules };
  throw new Error(`BUG: not there yet (${Object.keys(rules).length} rules)`);
};
