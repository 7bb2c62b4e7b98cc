/** N nodes in one process over a network in memory, finding each other from the first as seed. What a node is: `start-node.ts`. */
import type { LinkOptions } from '../link/links.ts';
import { systemClock } from '../system/clock.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { RetainedBounds } from '../topics/retained.ts';
import { eventually } from './eventually.ts';
import { loopbackNetwork } from './loopback-network.ts';
import type { LoopbackNetwork, LoopbackOptions } from './loopback-network.ts';
import { hostName, startNode } from './start-node.ts';
import type { NodeRules, TestNode } from './start-node.ts';

export { testMeshKey } from './start-node.ts';
export type { TestNode } from './start-node.ts';

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
  rules?: NodeRules;
  /** Not to wait until all are linked to all, which needs a clock that moves. */
  unlinked?: boolean;
};

/** Resolves when all are linked to all. */
export const startNodes = async (count: number, options: TestNodesOptions = {}): Promise<TestNodes> => {
  const clock = options.clock ?? systemClock;
  const network = loopbackNetwork(options.seed ?? 1, { ...options, clock });
  const all = new Set<TestNode>();

  const start = async (index: number): Promise<TestNode> => {
    const { log, links, topics, rules } = options;
    const started = await startNode(index, {
      ...{ clock, transport: network.transport(hostName(index)), role: options.role?.(index) ?? 'ingest' },
      ...(log && { log }),
      ...(links && { links }),
      ...(topics && { topics }),
      ...(rules && { rules }),
    });
    const node: TestNode = {
      ...started,
      close: async () => {
        all.delete(node);
        await started.close();
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
