/**
 * A node as a process of its own, with the mesh rooms and nothing else: for tests that kill, stop and cut off real processes. Its one argument is
 * `MeshNodeOptions` as JSON. Every event is one line of JSON on stdout with the wall clock of the machine, which all of them share; a line on
 * stdin is a command: `leave` ends it in order, `state` prints what it knows.
 */
import { createInterface } from 'node:readline';
import { startLinks } from '../link/links.ts';
import { startMembership } from '../membership/membership.ts';
import { createActorSystem } from '../system/actor-system.ts';
import { systemClock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { testMeshKey } from './start-node.ts';

export type MeshNodeOptions = {
  readonly id: string;
  readonly bind: string;
  readonly port: number;
  readonly seeds: readonly string[];
};

export type MeshNodeEvent = { readonly atMs: number } & (
  | { readonly event: 'ready' | 'renewed'; readonly incarnation: number }
  | { readonly event: 'joined'; readonly about: string; readonly incarnation: number }
  | { readonly event: 'gone'; readonly about: string; readonly incarnation: number; readonly kind: 'dead' | 'left' }
  | { readonly event: 'changed'; readonly about: string; readonly state: string; readonly why: string }
  | {
      readonly event: 'state';
      readonly members: readonly string[];
      readonly links: readonly string[];
      readonly counters: Readonly<Record<string, number>>;
    }
);

type Said = MeshNodeEvent extends infer E ? (E extends MeshNodeEvent ? Omit<E, 'atMs'> : never) : never;

const run = async (options: MeshNodeOptions): Promise<void> => {
  const say = (said: Said): void => {
    process.stdout.write(`${JSON.stringify({ atMs: systemClock.wallMs(), ...said })}\n`);
  };
  const { id, bind, port, seeds } = options;
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const links = await startLinks({
    self: { id, name: id, role: 'ingest' },
    key: testMeshKey,
    bind,
    port,
    seeds,
    system,
  });
  const membership = startMembership({ links, system });
  membership.onChange({
    joined: (node, incarnation) => say({ event: 'joined', about: node.id, incarnation }),
    gone: (node, incarnation, kind) => say({ event: 'gone', about: node.id, incarnation, kind }),
    changed: ({ node, state, why }) => say({ event: 'changed', about: node.id, state, why }),
    renewed: (incarnation) => say({ event: 'renewed', incarnation }),
  });
  const leave = async (): Promise<void> => {
    await membership.leave();
    membership.close();
    await links.close();
    await system.stop();
    process.exit(0);
  };
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      if (line === 'leave') void leave();
      if (line === 'state')
        say({
          event: 'state',
          members: membership.members().map(({ node, state }) => `${node.id} ${state}`),
          links: links.peers().map((peer) => peer.id),
          counters: { ...links.counters(), ...membership.counters() },
        });
    })
    // Whoever started it is gone.
    .on('close', () => process.exit(0));
  say({ event: 'ready', incarnation: membership.incarnation() });
};

if (import.meta.main) await run(JSON.parse(process.argv[2] ?? '{}') as MeshNodeOptions);
