/** Web nodes in memory and in virtual time, each with a disk that outlives it, for the tests of this room. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { createLog, silentLog } from '../system/log.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { loopbackNetwork } from '../testing/loopback-network.ts';
import { hostName, startNode } from '../testing/start-node.ts';
import type { TestNode } from '../testing/start-node.ts';
import type { Disk } from './disk.ts';
import type { SessionRules } from './rules.ts';
import type { Sessions } from './sessions.ts';

export type WebNode = TestNode & { readonly sessions: Sessions };

const stepMs = 10;
/** A message takes some turns of the event loop through its links. */
const turnsPerStep = 6;

export const memoryDisk = () => {
  const disk = { content: Buffer.alloc(0), synced: 0 };
  const open = (): Disk => ({
    read: () => Promise.resolve(disk.content),
    append: (bytes, { sync }) => {
      disk.content = Buffer.concat([disk.content, bytes]);
      if (sync) disk.synced = disk.content.byteLength;
      return Promise.resolve();
    },
    replace: (parts) => {
      disk.content = Buffer.concat([...parts]);
      disk.synced = disk.content.byteLength;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
  /** What a power failure leaves. */
  const lose = (): void => void (disk.content = disk.content.subarray(0, disk.synced));
  return { disk, open, lose };
};

export type MeshOptions = { roles?: readonly ('web' | 'ingest')[]; rules?: Partial<SessionRules>; delayMs?: number };

export const startMesh = async (t: TestContext, count: number, options: MeshOptions = {}) => {
  const clock = fakeClock();
  const delayMs = options.delayMs ?? 10;
  const network = loopbackNetwork(1, { clock, delayMs: { min: delayMs, max: delayMs } });
  const disks = Array.from({ length: count }, memoryDisk);
  const living = new Map<number, TestNode>();
  const said: string[] = [];
  const log = createLog({ name: 'test', sink: { write: (line) => void said.push(line) } });

  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs);
      for (let turn = 0; turn < turnsPerStep; turn += 1) await nextTurn();
    }
  };
  /** Lets time pass until it is so; gives how long that took. */
  const until = async (isSo: () => boolean, withinMs = 60_000): Promise<number> => {
    for (let passedMs = 0; passedMs <= withinMs; passedMs += stepMs) {
      if (isSo()) return passedMs;
      await pass(stepMs);
    }
    throw new Error(`not so within ${withinMs} ms of virtual time`);
  };
  /** Lets time pass until it is settled; gives what came of it and how long that took. */
  const settled = async <T>(promise: Promise<T>): Promise<{ value: T; tookMs: number }> => {
    let outcome: { value: T } | undefined;
    void promise.then((value) => (outcome = { value }));
    for (let turn = 0; turn < turnsPerStep && !outcome; turn += 1) await nextTurn();
    const tookMs = await until(() => outcome !== undefined);
    return { value: await promise, tookMs };
  };

  const start = async (index: number): Promise<TestNode> => {
    const disk = disks[index]?.open();
    const node = await startNode(index, {
      ...{ clock, log: index === 0 ? log : silentLog, transport: network.transport(hostName(index)) },
      role: options.roles?.[index] ?? 'web',
      ...(disk && { disk }),
      ...(options.rules && { rules: { sessions: options.rules } }),
    });
    living.set(index, node);
    return node;
  };
  const startWeb = async (index: number): Promise<WebNode> => {
    const node = await start(index);
    if (!node.sessions) throw new Error(`BUG: node ${index} is no web node`);
    return { ...node, sessions: node.sessions };
  };
  const closeAll = async (): Promise<void> => {
    const closing = Promise.all([...living.values()].map((node) => node.close()));
    living.clear();
    await settled(closing);
  };
  const isWhole = (): boolean => {
    const all = [...living.values()];
    return all.every((node) => node.links.peers().length === all.length - 1);
  };

  const nodes: WebNode[] = [];
  for (let index = 0; index < count; index += 1)
    if (options.roles?.[index] === 'ingest') await start(index);
    else nodes.push(await startWeb(index));
  await until(isWhole);
  // What a link begins with is done.
  await pass(200);
  t.after(closeAll);

  return {
    /** All of them, those that are no web nodes too. */
    all: () => [...living.values()],
    ...{ clock, network, disks, nodes, said, pass, until, settled, startWeb, closeAll, isWhole },
    /** Ends a node as a kill does: without a word, and with the disk as it is. */
    kill: async (index: number): Promise<void> => {
      const node = living.get(index);
      living.delete(index);
      network.kill(hostName(index));
      await settled(Promise.resolve(node?.close()));
      network.revive(hostName(index));
    },
  };
};

export const ada = { user: 'ada', generation: 1 };

/** Which of the nodes accept a session. */
export const accepts = (nodes: readonly WebNode[], sid: string): boolean[] =>
  nodes.map((node) => node.sessions.check(sid) !== undefined);

export const areEqual = (nodes: readonly WebNode[]): boolean =>
  new Set(nodes.map((node) => node.sessions.digest())).size === 1;

export const nodeAt = (nodes: readonly WebNode[], at = 0): WebNode => {
  const node = nodes[at];
  assert.ok(node);
  return node;
};
