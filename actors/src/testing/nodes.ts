/** N nodes in one process over a network in memory: each with its own actor system, links and topics, finding each other from the first as seed. */
import { startLinks } from '../link/links.ts';
import type { Links, LinkOptions } from '../link/links.ts';
import { createActorSystem } from '../system/actor-system.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import { systemClock } from '../system/clock.ts';
import type { Clock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import type { Log } from '../system/log.ts';
import { startTopics } from '../topics/topics.ts';
import type { RetainedBounds } from '../topics/retained.ts';
import type { Topics } from '../topics/topics.ts';
import { eventually } from './eventually.ts';
import { loopbackNetwork } from './loopback-network.ts';
import type { LoopbackNetwork, LoopbackOptions } from './loopback-network.ts';

export const testMeshKey = 'a mesh key for tests only';

export type TestNode = {
  readonly host: string;
  readonly system: ActorSystem;
  readonly links: Links;
  readonly topics: Topics;
  /** An orderly shutdown. */
  close: () => Promise<void>;
};

export type TestNodes = {
  readonly network: LoopbackNetwork;
  readonly nodes: readonly TestNode[];
  /** One more, or a node that starts again on its host under its id. */
  start: (index: number) => Promise<TestNode>;
  close: () => Promise<void>;
};

export type TestNodesOptions = Omit<LoopbackOptions, 'clock'> & {
  seed?: number;
  clock?: Clock;
  log?: Log;
  role?: (index: number) => 'ingest' | 'web';
  links?: Pick<LinkOptions, 'maxOutboxBytes'>;
  topics?: RetainedBounds;
  /** Not to wait until all are linked to all, which needs a clock that moves. */
  unlinked?: boolean;
};

const port = 7072;

/** Node `i` lives on host `h<i>` with the id `n<i>` (two digits). Resolves when all are linked to all. */
export const startNodes = async (count: number, options: TestNodesOptions = {}): Promise<TestNodes> => {
  const clock = options.clock ?? systemClock;
  const network = loopbackNetwork(options.seed ?? 1, { ...options, clock });
  const all = new Set<TestNode>();

  const start = async (index: number): Promise<TestNode> => {
    const number = String(index).padStart(2, '0');
    const host = `h${number}`;
    const system = createActorSystem({ name: `n${number}`, clock, log: options.log ?? silentLog });
    const links = await startLinks({
      self: { id: `n${number}`, name: `node-${number}`, role: options.role?.(index) ?? 'ingest' },
      ...{ key: testMeshKey, bind: host, port, seeds: [`h00:${port}`], system, transport: network.transport(host) },
      ...options.links,
    });
    const topics = startTopics({ links, system, ...(options.topics && { bounds: options.topics }) });
    const node: TestNode = {
      ...{ host, system, links, topics },
      close: async () => {
        all.delete(node);
        topics.close();
        await links.close();
        await system.stop();
      },
    };
    all.add(node);
    return node;
  };

  const nodes: TestNode[] = [];
  for (let index = 0; index < count; index += 1) nodes.push(await start(index));
  if (options.unlinked !== true) await eventually(() => nodes.every((node) => node.links.peers().length === count - 1));
  return {
    network,
    nodes,
    start,
    close: async () => {
      await Promise.all([...all].map((node) => node.close()));
    },
  };
};
