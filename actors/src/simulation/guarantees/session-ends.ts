/**
 * A sign-in is valid on all web nodes soon and outlives them; a sign-out wins over everything: answered on a mesh without faults, no web node accepts
 * the session from then on; else from when links are healthy; and nowhere does one that was signed out come back.
 */
import type { Session } from '../../sessions/sessions.ts';
import type { GuaranteeMaker } from '../guarantee.ts';
import { roleOf } from '../mesh.ts';
import type { Mesh, SimNode } from '../mesh.ts';

type Known = {
  readonly sid: string;
  readonly session: Session;
  readonly openedAt: SimNode;
  readonly openedMs: number;
  /** The other web nodes then, when the mesh was healthy: one of them has it as well. */
  readonly others: readonly number[];
  /** Somebody asked for its end. */
  ending: boolean;
  /** Where the end was answered, and when. */
  ended: { readonly at: SimNode; readonly atMs: number } | undefined;
};

const users = ['ann', 'bob', 'eve'];
const soundMs = 3000;
const openWithinMs = 1000;
const kept = 40;

/** The words of a host are not lost: it runs, and has had one disk since. */
const remembers = (mesh: Mesh, index: number, sinceMs: number): boolean =>
  mesh.at(index) !== undefined && (mesh.diskLostMs.get(index) ?? -1) < sinceMs;

export const sessionEnds: GuaranteeMaker = {
  name: 'session-ends',
  works: true,
  make: ({ mesh, broken }) => {
    const all: Known[] = [];
    const generations = new Map<string, number>();
    /** By start of a node: the sessions it once said are signed out. */
    const buried = new Map<number, Set<string>>();
    const webs = (): SimNode[] => mesh.awake().filter((node) => node.rooms?.sessions !== undefined);
    const allSound = (): boolean => mesh.isHealthy(soundMs);
    const generationOf = (user: string): number => generations.get(user) ?? 0;

    /** `fails`: the node is lost with all that is on it as soon as it has answered. */
    const open = (node: SimNode, user: string, fails: boolean): void => {
      const generation = generationOf(user);
      node.rooms?.sessions?.open({ user, generation }).then(
        ({ sid, session }) => {
          const others = mesh.isHealthy(soundMs) ? webs().filter((web) => web !== node) : [];
          all.push({
            ...{ sid, session, openedAt: node, openedMs: mesh.time.nowMs(), others: others.map(({ index }) => index) },
            ...{ ending: false, ended: undefined },
          });
          if (all.length > kept) all.shift();
          if (fails) mesh.lose(node);
        },
        () => undefined,
      );
    };
    const revoke = (node: SimNode, known: Known): void => {
      known.ending = true;
      const soundBefore = allSound();
      const isKnownHere = node.rooms?.sessions?.isAlive(known.session.id) === true;
      void node.rooms?.sessions?.revoke(known.session.id).then(() => {
        // Elsewhere alone it is ended by those that know it, if they are reached: a sign-out comes from where the session is accepted.
        if (isKnownHere) known.ended ??= { at: node, atMs: mesh.time.nowMs() };
        if (!soundBefore || !allSound()) return;
        for (const web of webs())
          if (web.rooms?.sessions?.isAlive(known.session.id))
            broken(
              `${web.life.name} accepts ${known.session.id} after ${node.life.name} has answered that it is signed out`,
            );
      });
    };

    const mustBeDead = (known: Known): boolean =>
      (known.ended !== undefined && remembers(mesh, known.ended.at.index, known.ended.atMs)) ||
      (known.session.generation < generationOf(known.session.user) && generationKnown(known.session.user));
    /** When the last change of a user's generation was answered, and where. */
    const changed = new Map<string, { readonly at: SimNode; readonly atMs: number } | undefined>();
    const generationKnown = (user: string): boolean => {
      const change = changed.get(user);
      return change !== undefined && remembers(mesh, change.at.index, change.atMs);
    };
    const mustLive = (known: Known): boolean =>
      !known.ending &&
      known.session.generation >= generationOf(known.session.user) &&
      (remembers(mesh, known.openedAt.index, known.openedMs) ||
        (known.others.length > 0 && known.others.every((index) => remembers(mesh, index, known.openedMs))));

    const wrong = (): string | undefined => {
      for (const web of webs())
        for (const known of all) {
          const alive = web.rooms?.sessions?.isAlive(known.session.id);
          if (alive === true && mustBeDead(known)) return `${web.life.name} accepts ${known.session.id}, which is over`;
          if (alive === false && mustLive(known)) return `${web.life.name} does not know ${known.session.id}`;
        }
      return undefined;
    };

    return {
      started: (node) => {
        const ends = new Set<string>();
        buried.set(node.start, ends);
        node.rooms?.sessions?.onEnd((session, why) => {
          if (why === 'signed-out' || why === 'user-changed') ends.add(session.id);
        });
      },
      work: (node, random) => {
        const sessions = node.rooms?.sessions;
        if (roleOf(node.index) !== 'web' || !sessions) return undefined;
        const what = random();
        const user = users[Math.floor(random() * users.length)] ?? '';
        const known = all[Math.floor(random() * all.length)];
        if (what < 0.35 || !known) {
          const fails = random() < 0.15 && mesh.time.nowMs() < mesh.plan.restMs && mesh.isHealthy(soundMs);
          open(node, user, fails);
          return `opens a session of ${user}${fails ? ', and is lost then' : ''}`;
        }
        if (what < 0.7) {
          sessions.check(known.sid);
          return `uses ${known.session.id}`;
        }
        if (what < 0.95) {
          revoke(node, known);
          return `ends ${known.session.id}`;
        }
        const generation = generationOf(user) + 1;
        generations.set(user, generation);
        changed.set(user, undefined);
        void sessions.endBefore(user, generation).then(() => {
          if (generationOf(user) === generation) changed.set(user, { at: node, atMs: mesh.time.nowMs() });
        });
        return `ends all sessions of ${user} before ${generation}`;
      },
      look: () => {
        const nowMs = mesh.time.nowMs();
        const sound = allSound();
        for (const web of webs()) {
          for (const id of buried.get(web.start) ?? [])
            if (web.rooms?.sessions?.isAlive(id))
              broken(`${web.life.name} accepts ${id} again, which was signed out there`);
          if (!sound) continue;
          for (const known of all)
            if (nowMs - known.openedMs > openWithinMs && nowMs - known.openedMs < 2 * openWithinMs && mustLive(known))
              if (web.rooms?.sessions?.isAlive(known.session.id) === false)
                broken(
                  `${web.life.name} does not know ${known.session.id} ${nowMs - known.openedMs} ms after its sign-in`,
                );
        }
      },
      settles: [
        {
          what: 'sessions that were signed out are over, others live',
          ...{ withinMs: 8000, after: 'healthy', unsettled: wrong },
        },
        {
          what: 'all web nodes hold the same sessions',
          ...{ withinMs: 8000, after: 'healthy' },
          unsettled: () => {
            const digests = new Map(webs().map((node) => [node.rooms?.sessions?.digest(), node.life.name]));
            return digests.size > 1 ? `${[...digests.values()].join(' and ')} differ` : undefined;
          },
        },
      ],
    };
  },
};
