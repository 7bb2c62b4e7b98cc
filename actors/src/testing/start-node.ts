/**
 * One node of a mesh in memory: every room of the mesh, started and closed in the order a program does it. `rules` replaces single decisions of
 * rooms by others, to see whether tests notice.
 */
import { startLinks } from '../link/links.ts';
import type { LinkOptions, Links } from '../link/links.ts';
import type { Transport } from '../link/transport.ts';
import { createActorSystem } from '../system/actor-system.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import type { Clock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import type { Log } from '../system/log.ts';
import { startTopics } from '../topics/topics.ts';
import type { RetainedBounds } from '../topics/retained.ts';
import type { Topics } from '../topics/topics.ts';

export const testMeshKey = 'a mesh key for tests only';
const port = 7072;

export type TestNode = {
  readonly host: string;
  readonly system: ActorSystem;
  readonly links: Links;
  readonly topics: Topics;
  /** An orderly shutdown. */
  close: () => Promise<void>;
};

export type NodeOptions = {
  clock: Clock;
  transport: Transport;
  log?: Log;
  role?: 'ingest' | 'web';
  links?: Pick<LinkOptions, 'maxOutboxBytes' | 'random'>;
  topics?: RetainedBounds;
  /** What the rooms above the links see instead of them: a link layer that misbehaves. */
  above?: (links: Links) => Links;
};

const twoDigits = (index: number): string => String(index).padStart(2, '0');
export const hostName = (index: number): string => `h${twoDigits(index)}`;
export const nodeId = (index: number): string => `n${twoDigits(index)}`;

/** Node `index` lives on host `h<index>` with the id `n<index>` (two digits) and finds the others from the first as seed. */
export const startNode = async (index: number, options: NodeOptions): Promise<TestNode> => {
  const host = hostName(index);
  const system = createActorSystem({ name: nodeId(index), clock: options.clock, log: options.log ?? silentLog });
  const bare = await startLinks({
    self: { id: nodeId(index), name: `node-${twoDigits(index)}`, role: options.role ?? 'ingest' },
    ...{ key: testMeshKey, bind: host, port, seeds: [`${hostName(0)}:${port}`], system, transport: options.transport },
    ...options.links,
  });
  const links = options.above?.(bare) ?? bare;
  const topics = startTopics({ links, system, ...(options.topics && { bounds: options.topics }) });
  return {
    ...{ host, system, links, topics },
    close: async () => {
      topics.close();
      await links.close();
      await system.stop();
    },
  };
};
