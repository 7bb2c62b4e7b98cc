/**
 * A node's place in the mesh: links, actors that others can tell, membership, topics and presence, begun and ended in the order they stand on
 * each other. What is beyond them (sessions, live view, gateway) each program starts itself.
 */
import { startLinks, type LinkOptions, type Links } from '../link/links.ts';
import { startMeshActors, type MeshActors } from '../link/mesh-actors.ts';
import { startMembership, type Membership, type MembershipRules } from '../membership/membership.ts';
import { startPresence, type Presence } from '../presence/presence.ts';
import type { PresenceRules } from '../presence/rules.ts';
import type { RetainedBounds } from '../topics/retained.ts';
import { startTopics, type TopicRules, type Topics } from '../topics/topics.ts';

export type Mesh = {
  readonly links: Links;
  readonly actors: MeshActors;
  readonly membership: Membership;
  readonly topics: Topics;
  readonly presence: Presence;
  /** By room, for `/metrics`. */
  figures(): { readonly part: string; readonly values: Record<string, number> }[];
  /** At once, as if the process was killed: a node that goes in order says so first (`membership.leave`). */
  close(): Promise<void>;
};

export type MeshOptions = LinkOptions & {
  /** For simulations: what is retained, what the rooms above the links see instead of them, and other decisions in the place of some. */
  bounds?: RetainedBounds;
  above?: (links: Links) => Links;
  roomRules?: {
    readonly membership?: Partial<MembershipRules>;
    readonly presence?: Partial<PresenceRules>;
    readonly topics?: Partial<TopicRules>;
  };
};

/** Rejects with a message for people when the mesh port cannot be had. */
export const joinMesh = async (options: MeshOptions): Promise<Mesh> => {
  const { system, bounds, above, roomRules: rules = {} } = options;
  const bare = await startLinks(options);
  const links = above?.(bare) ?? bare;
  const actors = startMeshActors({ links, system });
  const membership = startMembership({ links, system, ...(rules.membership && { rules: rules.membership }) });
  const topics = startTopics({
    links,
    system,
    ...(bounds && { bounds }),
    ...(rules.topics && { rules: rules.topics }),
  });
  const presence = startPresence({ links, membership, system, ...(rules.presence && { rules: rules.presence }) });
  return {
    ...{ links, actors, membership, topics, presence },
    figures: () => [
      { part: 'link', values: links.counters() },
      { part: 'membership', values: membership.counters() },
      { part: 'presence', values: presence.counters() },
      { part: 'topics', values: topics.counters() },
      { part: 'mesh_actors', values: actors.counters() },
    ],
    close: async () => {
      topics.close();
      presence.close();
      membership.close();
      await links.close();
      actors.close();
    },
  };
};
