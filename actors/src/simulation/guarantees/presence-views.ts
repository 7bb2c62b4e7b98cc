/**
 * Which agents are up is known everywhere: at rest each agent that is connected to a node that runs is shown once, as that node says; one whose node
 * is gone is not shown as up for longer than the grace; all views are equal. At any time, under any faults: a node that has shown an agent once goes
 * on showing it, somehow.
 */
import type { RosterEntry } from '../../wire/roster.ts';
import type { GuaranteeMaker } from '../guarantee.ts';
import type { SimNode } from '../mesh.ts';

type Agent = {
  readonly hostId: string;
  epoch: number;
  attempt: number;
  /** Where it is connected, until it leaves or is lost there. */
  at: SimNode | undefined;
  entry: RosterEntry | undefined;
};

const agentCount = 8;
/** A digest reads all there is. */
const looksPerDigest = 3;
/** The verdict of death, and what others may add to it until all agree. */
const ghostMs = 10_000;
/** An heir adopts when the grace is over, which is a change like any other: all know of it this soon. */
const changeMs = 2000;
const noticesLossWithinMs = 4000;
/** The verdict of death, the grace and the turn of the last heir: then what a gone node said is known to those as well who came after its end. */
const inheritedMs = 19_000;
/** How soon a node that started, stood still or was cut off has all that the others have. */
const catchUpMs = 5000;

export const presenceViews: GuaranteeMaker = {
  name: 'presence-views',
  works: true,
  make: ({ mesh, broken }) => {
    const agents = Array.from({ length: agentCount }, (_, index): Agent => ({
      hostId: `00000000-0000-4000-8000-00000000000${index}`,
      ...{ epoch: 0, attempt: 0, at: undefined, entry: undefined },
    }));
    /** By start of a node and agent. */
    const saidLast = new Map<string, RosterEntry>();
    /** Since when an agent has not been connected to a node that runs. */
    const awaySinceMs = new Map<string, number>();

    const entryOf = (
      agent: Agent,
      node: SimNode,
      connection: RosterEntry['connection'],
      degraded: readonly string[],
    ): RosterEntry => ({
      hostId: agent.hostId,
      machine: {
        ...{ name: agent.hostId, os: 'linux', kernel: '6', arch: 'x64', model: '', cpu: '', cores: 1 },
        ...{ memoryBytes: 1, virtual: '' },
      },
      ...{ cluster: 'c', labels: {}, agentVersion: '1', periodMs: 1000, connection, clockOffsetMs: 0, node: node.id },
      sinceMs: node.life.clock.wallMs(),
      ...{ epoch: agent.epoch, attempt: agent.attempt, degraded },
    });
    const put = (
      agent: Agent,
      node: SimNode,
      connection: RosterEntry['connection'],
      degraded: readonly string[] = [],
    ): void => {
      const entry = entryOf(agent, node, connection, degraded);
      agent.entry = entry;
      saidLast.set(`${node.start} ${agent.hostId}`, entry);
      node.rooms?.presence.put(entry);
    };

    /** Its former node finds out some time later, if it still runs. */
    const leaveBehind = (agent: Agent, random: () => number): void => {
      const former = agent.at;
      const before = agent.entry;
      if (!former || !before || former.ended) return;
      former.life.clock.after(random() * noticesLossWithinMs, () => {
        // Not when it was there again meanwhile: what it said of the later connection stands.
        if (former.leaving || saidLast.get(`${former.start} ${agent.hostId}`) !== before) return;
        former.rooms?.presence.put({ ...before, connection: 'reconnecting', sinceMs: former.life.clock.wallMs() });
      });
    };

    const differ = (): string | undefined => {
      const digests = new Map(mesh.awake().map((node) => [node.rooms?.presence.digest(), node.life.name]));
      return digests.size > 1 ? `${[...digests.values()].join(' and ')} differ` : undefined;
    };
    let looks = 0;
    let differSinceMs: number | undefined;
    /** By start of a node and agent: since when others show it and this one does not. */
    const lackingSinceMs = new Map<string, number>();
    const lookForLacking = (nowMs: number): void => {
      const shownBy = mesh.awake().map((node) => ({
        node,
        hosts: new Set(node.rooms?.presence.agents().map(({ hostId }) => hostId)),
      }));
      for (const { node, hosts } of shownBy)
        for (const { hostId } of agents) {
          const at = `${node.start} ${hostId}`;
          if (hosts.has(hostId) || !shownBy.some((other) => other.hosts.has(hostId))) lackingSinceMs.delete(at);
          else if (!lackingSinceMs.has(at)) lackingSinceMs.set(at, nowMs);
          else if (nowMs - (lackingSinceMs.get(at) ?? 0) > inheritedMs)
            broken(`${node.life.name} has not shown ${hostId} for ${inheritedMs} ms, others do`);
        }
    };

    const isConnected = (agent: Agent): boolean => agent.at !== undefined && !agent.at.ended && !agent.at.leaving;

    const lookAgain = (node: SimNode, agent: Agent): void => {
      mesh.time.world.clock.after(catchUpMs, () => {
        if (!mesh.awake().includes(node) || !mesh.isSound(node.index, catchUpMs) || !isConnected(agent)) return;
        if (!node.rooms?.presence.agent(agent.hostId))
          broken(`${node.life.name} has lost ${agent.hostId}, which is up`);
      });
    };

    const wrongly = (node: SimNode, agent: Agent, shown: readonly RosterEntry[]): string | undefined => {
      const [entry] = shown;
      if (shown.length > 1) return `${node.life.name} shows ${agent.hostId} ${shown.length} times`;
      if (!isConnected(agent) || !agent.entry) return undefined;
      const { connection, epoch, attempt, node: at, degraded } = agent.entry;
      const right = entry && entry.connection === connection && entry.epoch === epoch && entry.attempt === attempt;
      if (right && entry.node === at && entry.degraded.join() === degraded.join()) return undefined;
      const words = entry ? `${entry.connection} at ${entry.node} (${entry.epoch}, ${entry.attempt})` : 'not at all';
      return `${node.life.name} shows ${agent.hostId} ${words}, it is ${connection} at ${at} (${epoch}, ${attempt})`;
    };

    return {
      started: (node) => {
        node.rooms?.presence.onChange(({ gone }) => {
          // Nobody removes an agent, and a day is not over.
          for (const hostId of gone) {
            const agent = agents.find((one) => one.hostId === hostId);
            // One that others may have taken for dead hears what happened meanwhile piece by piece.
            if (agent && mesh.isSound(node.index, catchUpMs)) broken(`${node.life.name} shows ${hostId} no more`);
            else if (agent) lookAgain(node, agent);
          }
        });
      },
      work: (node, random) => {
        const agent = agents[Math.floor(random() * agentCount)];
        if (!agent) return undefined;
        const what = random();
        if (agent.at === node && !node.ended && agent.entry?.connection === 'connected' && what < 0.6) {
          if (what < 0.15) {
            put(agent, node, 'left');
            agent.at = undefined;
            return `says that ${agent.hostId} left`;
          }
          if (what < 0.25) {
            put(agent, node, 'reconnecting');
            agent.at = undefined;
            return `loses ${agent.hostId}`;
          }
          put(agent, node, 'connected', what < 0.4 ? ['its clock is ahead'] : []);
          return `says how healthy ${agent.hostId} is`;
        }
        leaveBehind(agent, random);
        if (random() < 0.2) {
          agent.epoch += 1;
          agent.attempt = 0;
        } else agent.attempt += 1;
        agent.at = node;
        put(agent, node, 'connected');
        return `takes ${agent.hostId} (${agent.epoch}, ${agent.attempt})`;
      },
      look: () => {
        const nowMs = mesh.time.nowMs();
        if (nowMs < mesh.plan.restMs) return;
        lookForLacking(nowMs);
        looks += 1;
        if (looks % looksPerDigest === 0) differSinceMs = differ() === undefined ? undefined : (differSinceMs ?? nowMs);
        for (const agent of agents) {
          if (isConnected(agent)) awaySinceMs.delete(agent.hostId);
          else if (!awaySinceMs.has(agent.hostId)) awaySinceMs.set(agent.hostId, nowMs);
          const sinceMs = awaySinceMs.get(agent.hostId);
          if (sinceMs === undefined || nowMs - sinceMs < ghostMs) continue;
          for (const node of mesh.awake()) {
            if (!mesh.isSound(node.index, ghostMs)) continue;
            const entry = node.rooms?.presence.agent(agent.hostId);
            if (entry?.connection === 'connected' || entry?.connection === 'silent')
              broken(
                `${node.life.name} shows ${agent.hostId} ${entry.connection} at ${entry.node}, where it has not been for ${nowMs - sinceMs} ms`,
              );
          }
        }
      },
      settles: [
        {
          what: 'agents that are connected are shown once, as their node says',
          ...{ withinMs: 2000, after: 'healthy' },
          unsettled: () => {
            for (const node of mesh.awake()) {
              const byHost = Map.groupBy(node.rooms?.presence.agents() ?? [], ({ hostId }) => hostId);
              for (const agent of agents) {
                const words = wrongly(node, agent, byHost.get(agent.hostId) ?? []);
                if (words !== undefined) return words;
              }
            }
            return undefined;
          },
        },
        {
          what: 'all nodes show the same',
          ...{ withinMs: 10_000, after: 'healthy' },
          unsettled: () =>
            differSinceMs !== undefined && mesh.time.nowMs() - differSinceMs > changeMs ? differ() : undefined,
        },
      ],
    };
  },
};
