/**
 * A node as a process of its own, with the rooms of the mesh and nothing else: for tests that kill, stop and cut off real processes. Its one argument
 * is `MeshNodeOptions` as JSON, a line on stdin is a `MeshNodeCommand`, a line on stdout a `MeshNodeEvent` with the wall clock of the machine,
 * which all of them share. It ends with whoever started it.
 */
import { createInterface } from 'node:readline';
import type { NodeInfo } from '../link/node-info.ts';
import { joinMesh } from '../mesh/join-mesh.ts';
import { startSessions } from '../sessions/sessions.ts';
import { createActorSystem } from '../system/actor-system.ts';
import type { ActorRef } from '../system/actor-system.ts';
import { systemClock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import type { Connection } from '../wire/roster.ts';
import { testEntry } from './roster-entries.ts';
import { testMeshKey } from './start-node.ts';

export type MeshNodeOptions = {
  readonly id: string;
  readonly role: NodeInfo['role'];
  readonly bind: string;
  readonly port: number;
  readonly seeds: readonly string[];
};

export type MeshNodeCommand =
  | { readonly do: 'leave' | 'state' }
  /** What this node says of an agent from now on. */
  | { readonly do: 'put'; readonly hostId: string; readonly connection: Connection; readonly attempt: number }
  | { readonly do: 'open'; readonly user: string }
  | { readonly do: 'revoke'; readonly id: string }
  /** The one actor each other node has. */
  | { readonly do: 'watch' };

export type MeshNodeEvent = { readonly atMs: number } & (
  | { readonly event: 'ready' | 'renewed'; readonly incarnation: number }
  | { readonly event: 'joined'; readonly about: string; readonly incarnation: number }
  | { readonly event: 'gone'; readonly about: string; readonly incarnation: number; readonly kind: 'dead' | 'left' }
  | { readonly event: 'changed'; readonly about: string; readonly state: string; readonly why: string }
  | { readonly event: 'opened' | 'revoked' | 'ended'; readonly id: string }
  | { readonly event: 'down'; readonly about: string; readonly reason: string }
  | {
      readonly event: 'state';
      readonly presence: string;
      readonly agents: readonly string[];
      readonly sessions: string;
      readonly watching: number;
      readonly counters: Readonly<Record<string, number>>;
    }
);

type Said = MeshNodeEvent extends infer E ? (E extends MeshNodeEvent ? Omit<E, 'atMs'> : never) : never;

const actorName = 'witness';

const run = async ({ id, role, bind, port, seeds }: MeshNodeOptions): Promise<void> => {
  const say = (said: Said): void => {
    process.stdout.write(`${JSON.stringify({ atMs: systemClock.wallMs(), ...said })}\n`);
  };
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const mesh = await joinMesh({ self: { id, name: id, role }, key: testMeshKey, bind, port, seeds, system });
  const { links, actors, membership, presence } = mesh;
  const sessions = role === 'web' ? await startSessions({ links, system, directory: undefined }) : undefined;
  const witness: ActorRef<null> = system.spawn<null, null>({
    ...{ name: actorName, restart: { times: 0, withinMs: 1 }, mailbox: { max: 10, whenFull: 'refuse' } },
    start: () => null,
    receive: (state) => state,
  });
  actors.register(actorName, witness);
  const watched = new Set<ActorRef<null>>();

  membership.onChange({
    joined: (node, incarnation) => say({ event: 'joined', about: node.id, incarnation }),
    gone: (node, incarnation, kind) => say({ event: 'gone', about: node.id, incarnation, kind }),
    changed: ({ node, state, why }) => say({ event: 'changed', about: node.id, state, why }),
    renewed: (incarnation) => say({ event: 'renewed', incarnation }),
  });
  sessions?.onEnd((session) => say({ event: 'ended', id: session.id }));

  const leave = async (): Promise<void> => {
    await membership.leave();
    await sessions?.close();
    await mesh.close();
    await system.stop();
    process.exit(0);
  };
  const obey = async (command: MeshNodeCommand): Promise<void> => {
    switch (command.do) {
      case 'leave':
        await leave();
        break;
      case 'state':
        say({
          event: 'state',
          presence: presence.digest(),
          agents: presence
            .agents()
            .map((one) => `${one.hostId} ${one.connection} ${one.node}`)
            .sort(),
          sessions: sessions?.digest() ?? '',
          watching: watched.size,
          counters: { ...links.counters(), ...membership.counters() },
        });
        break;
      case 'put': {
        const { hostId, connection, attempt } = command;
        presence.put(testEntry(0, { node: id, hostId, connection, attempt }));
        break;
      }
      case 'open': {
        const opened = await sessions?.open({ user: command.user, generation: 1 });
        if (opened) say({ event: 'opened', id: opened.session.id });
        break;
      }
      case 'revoke':
        await sessions?.revoke(command.id);
        say({ event: 'revoked', id: command.id });
        break;
      case 'watch':
        for (const { node, actor } of actors.lookup<null>(actorName)) {
          if (node.id === id || watched.has(actor)) continue;
          watched.add(actor);
          actors.watch(actor, (reason) => say({ event: 'down', about: node.id, reason: reason.kind }));
        }
        break;
    }
  };
  createInterface({ input: process.stdin })
    .on('line', (line) => void obey(JSON.parse(line) as MeshNodeCommand))
    .on('close', () => process.exit(0));
  say({ event: 'ready', incarnation: membership.incarnation() });
};

if (import.meta.main) await run(JSON.parse(process.argv[2] ?? '{}') as MeshNodeOptions);
