/**
 * One node of a mesh in memory: every room of the mesh, started and closed in the order a program does it. `rules` replaces single decisions of
 * rooms by others, to see whether tests notice.
 */
import type { LinkOptions, Links } from '../link/links.ts';
import type { MeshActors } from '../link/mesh-actors.ts';
import type { LinkRules } from '../link/rules.ts';
import type { Transport } from '../link/transport.ts';
import type { Membership, MembershipRules } from '../membership/membership.ts';
import { joinMesh } from '../mesh/join-mesh.ts';
import type { Presence } from '../presence/presence.ts';
import type { PresenceRules } from '../presence/rules.ts';
import { createActorSystem } from '../system/actor-system.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import type { Clock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import type { Log } from '../system/log.ts';
import type { Disk } from '../sessions/disk.ts';
import type { SessionRules } from '../sessions/rules.ts';
import { startSessions } from '../sessions/sessions.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { RetainedBounds } from '../topics/retained.ts';
import type { TopicRules, Topics } from '../topics/topics.ts';

export const testMeshKey = 'a mesh key for tests only';
const port = 7072;

export type TestNode = {
  readonly host: string;
  readonly system: ActorSystem;
  readonly links: Links;
  readonly actors: MeshActors;
  readonly membership: Membership;
  readonly topics: Topics;
  readonly presence: Presence;
  /** On web nodes. */
  readonly sessions: Sessions | undefined;
  /** An orderly shutdown. */
  close: () => Promise<void>;
};

/** Wrong variants of single rules, by room. */
export type NodeRules = {
  readonly link?: Partial<LinkRules>;
  readonly membership?: Partial<MembershipRules>;
  readonly presence?: Partial<PresenceRules>;
  readonly sessions?: Partial<SessionRules>;
  readonly topics?: Partial<TopicRules>;
};

export type NodeOptions = {
  clock: Clock;
  transport: Transport;
  log?: Log;
  role?: 'ingest' | 'web';
  links?: Pick<LinkOptions, 'maxOutboxBytes' | 'random'>;
  topics?: RetainedBounds;
  rules?: NodeRules;
  /** Where sessions are kept; without it in memory. */
  disk?: Disk;
  /** For the ids of sessions. */
  randomBytes?: (n: number) => Uint8Array;
  /** Indexes of the nodes known from the start; without it the first. */
  seeds?: readonly number[];
  /** What the rooms above the links see instead of them: a link layer that misbehaves. */
  above?: (links: Links) => Links;
};

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const twoDigits = (index: number): string => String(index).padStart(2, '0');
export const hostName = (index: number): string => `h${twoDigits(index)}`;
export const nodeId = (index: number): string => `n${twoDigits(index)}`;

/** Node `index` lives on host `h<index>` with the id `n<index>` (two digits) and finds the others from the first as seed. */
export const startNode = async (index: number, options: NodeOptions): Promise<TestNode> => {
  const host = hostName(index);
  const system = createActorSystem({ name: nodeId(index), clock: options.clock, log: options.log ?? silentLog });
  const seeds = (options.seeds ?? [0]).map((seed) => `${hostName(seed)}:${port}`);
  const mesh = await joinMesh({
    self: { id: nodeId(index), name: `node-${twoDigits(index)}`, role: options.role ?? 'ingest' },
    ...{ key: testMeshKey, bind: host, port, seeds, system, transport: options.transport },
    ...options.links,
    ...(options.rules && { roomRules: options.rules }),
    ...(options.rules?.link && { rules: options.rules.link }),
    ...(options.topics && { bounds: options.topics }),
    ...(options.above && { above: options.above }),
  });
  const { links, actors, membership, topics, presence } = mesh;
  const startWebSessions = (): Promise<Sessions> =>
    startSessions({
      ...{ links, system, directory: undefined },
      ...(options.disk && { disk: options.disk }),
      ...(options.randomBytes && { randomBytes: options.randomBytes }),
      ...(options.rules?.sessions && { rules: options.rules.sessions }),
    });
  const sessions = options.role === 'web' ? await startWebSessions() : undefined;
  return {
    ...{ host, system, links, actors, membership, topics, presence, sessions },
    close: async () => {
      // Not waited for: with a clock that stands still an answer may never come.
      void membership.leave();
      await nextTurn();
      await sessions?.close();
      await mesh.close();
      await system.stop();
    },
  };
};
