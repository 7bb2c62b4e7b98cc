/**
 * Does to the running programs what the schedule says, and undoes it: who is paused goes on, who is killed is started again until it stays
 * up. What is done, and from when to when, is kept for the stories of the report. Nothing here throws: a program that does not come back is
 * a finding of the run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@thrum/actors/testing/random';
import { errorMessage } from '@thrum/actors/system/describe-error';
import type { Mesh } from '../../infra/local/start-mesh.ts';
import type { Role } from '../../infra/local/role.ts';
import type { ChaosAgent } from './chaos-agent.ts';
import type { ChaosStore } from './chaos-store.ts';
import { sweepFakedClocks, type FakedClock } from './faked-clock.ts';
import { harmQueue } from './harm.ts';
import { describeFault, type Fault, type Planned } from './schedule.ts';

export type World = {
  readonly mesh: Mesh;
  readonly agents: readonly ChaosAgent[];
  readonly store: ChaosStore;
  readonly clocks: ReadonlyMap<string, FakedClock>;
};

export type Done = {
  readonly fault: Fault;
  /** By the clock of this machine. */
  readonly fromMs: number;
  toMs: number | undefined;
  /** What did not go as planned. */
  trouble: string;
  /** What exactly was done, where that is only known then. */
  detail: string;
};

export type Breaking = {
  readonly done: readonly Done[];
  /** Resolves when the last fault is undone. */
  run(plan: readonly Planned[]): Promise<void>;
};

const again = 1000;
/** More than the hour that agents of short ages keep anything. */
const laterMs = 2 * 3_600_000;
const comesBackWithinMs = 90_000;

export const startBreaking = (world: World, say: (line: string) => void): Breaking => {
  const done: Done[] = [];
  const agentOf = (name: string): ChaosAgent | undefined => world.agents.find((one) => one.name === name);
  const roleOf = (name: string): Role => {
    const found = agentOf(name)?.role() ?? world.mesh.processes().find((one) => one.name === name);
    if (!found) throw new Error(`BUG: nothing is called ${name}`);
    return found;
  };

  /** As a service manager: starts it until it is ready. */
  const bringBack = async (start: () => Promise<unknown>): Promise<string> => {
    const untilMs = performance.now() + comesBackWithinMs;
    let trouble = '';
    while (performance.now() < untilMs) {
      try {
        await start();
        return trouble;
      } catch (error) {
        trouble = `did not start at first: ${errorMessage(error).slice(0, 200)}`;
        await sleep(again);
      }
    }
    return `did not come back: ${trouble}`;
  };

  const kill = async (fault: Fault & { kind: 'kill' }): Promise<string> => {
    if (fault.of === 'elasticsearch') {
      await world.store.kill();
      await sleep(fault.downMs);
      return bringBack(() => world.store.start());
    }
    const role = roleOf(fault.of);
    agentOf(fault.of)?.keeper.look();
    await role.kill('SIGKILL');
    sweepFakedClocks();
    await sleep(fault.downMs);
    return bringBack(() => role.restart());
  };

  const pause = async (fault: Fault & { kind: 'pause' }): Promise<string> => {
    if (fault.of === 'elasticsearch') {
      await world.store.pause();
      await sleep(fault.forMs);
      await world.store.resume();
      return '';
    }
    const role = roleOf(fault.of);
    role.pause();
    await sleep(fault.forMs);
    role.resume();
    return '';
  };

  const fillDisk = async (fault: Fault & { kind: 'disk-full' }): Promise<string> => {
    const disk = agentOf(fault.of)?.disk;
    if (!disk) return 'it has no disk of its own';
    disk.fill();
    // What the agent sets free meanwhile is taken, too.
    const untilMs = performance.now() + fault.forMs;
    while (performance.now() < untilMs) {
      await sleep(200);
      disk.fill();
    }
    disk.free();
    return '';
  };

  /** Off the network and then dead, so that something waits in its queue. */
  const cutAndKill = async (agent: ChaosAgent, cutMs: number): Promise<void> => {
    agent.link.cut();
    await sleep(cutMs);
    agent.keeper.look();
    await agent.role().kill('SIGKILL');
    agent.keeper.look();
    sweepFakedClocks();
  };

  const harm = async (fault: Fault & { kind: 'harm' }, one: Done): Promise<string> => {
    const agent = agentOf(fault.of);
    if (!agent) return 'nobody is called so';
    try {
      await cutAndKill(agent, fault.cutMs);
      one.detail = harmQueue(agent, fault.how, seededRandom(fault.seed)) ?? '';
      return one.detail === ''
        ? `nothing to harm; ${await bringBack(() => agent.role().restart())}`
        : await bringBack(() => agent.role().restart());
    } finally {
      agent.link.mend();
    }
  };

  const makeOld = async (fault: Fault & { kind: 'age' }): Promise<string> => {
    const agent = agentOf(fault.of);
    const clock = world.clocks.get(fault.of);
    if (!agent || !clock) return 'it has no clock of its own';
    try {
      await cutAndKill(agent, fault.cutMs);
      clock.set(clock.offMs() + laterMs);
      const trouble = await bringBack(() => agent.role().restart());
      await sleep(fault.forMs);
      return trouble;
    } finally {
      agent.link.mend();
    }
  };

  const stopFull = async (fault: Fault & { kind: 'stop-full' }): Promise<string> => {
    const agent = agentOf(fault.of);
    const { disk } = agent ?? {};
    if (!agent || !disk) return 'it has no disk of its own';
    agent.link.cut();
    try {
      disk.fill();
      const untilMs = performance.now() + fault.forMs;
      while (performance.now() < untilMs) {
        await sleep(200);
        disk.fill();
      }
      await agent.role().stop();
    } finally {
      disk.free();
      agent.link.mend();
    }
    return bringBack(() => agent.role().restart());
  };

  const cut = async (fault: Fault & { kind: 'cut' }): Promise<string> => {
    const agent = agentOf(fault.of);
    if (!agent) return 'nobody is called so';
    agent.link.cut();
    await sleep(fault.forMs);
    agent.link.mend();
    return '';
  };

  const act = async (fault: Fault, one: Done): Promise<string> => {
    switch (fault.kind) {
      case 'kill':
        return kill(fault);
      case 'pause':
        return pause(fault);
      case 'disk-full':
        return fillDisk(fault);
      case 'restart-ingest':
        return (await Promise.all(world.mesh.ingest.map((node) => bringBack(() => node.restart())))).join(' ').trim();
      case 'clock':
        world.clocks.get(fault.of)?.set(fault.offMs);
        return '';
      case 'cut':
        return cut(fault);
      case 'harm':
        return harm(fault, one);
      case 'age':
        return makeOld(fault);
      case 'stop-full':
        return stopFull(fault);
    }
  };

  const begin = async (fault: Fault): Promise<void> => {
    const one: Done = { fault, fromMs: Date.now(), toMs: undefined, trouble: '', detail: '' };
    done.push(one);
    try {
      one.trouble = await act(fault, one);
    } catch (error) {
      one.trouble = errorMessage(error);
    }
    one.toMs = Date.now();
    for (const more of [one.detail, one.trouble]) if (more !== '') say(`           ${fault.of}: ${more}`);
  };

  return {
    done,
    run: async (plan) => {
      const beganMs = performance.now();
      const under: Promise<void>[] = [];
      const busy = new Set<string>();
      for (const { atMs, fault } of plan) {
        await sleep(Math.max(0, beganMs + atMs - performance.now()));
        // Slow machines bring things back late: what is still broken is not broken again.
        const names = fault.kind === 'restart-ingest' ? world.mesh.ingest.map((one) => one.name) : [fault.of];
        if (fault.kind !== 'clock' && names.some((name) => busy.has(name))) {
          say(
            `${(atMs / 1000).toFixed(1).padStart(7)} s  left out, because it is still broken: ${describeFault(fault)}`,
          );
          continue;
        }
        say(`${(atMs / 1000).toFixed(1).padStart(7)} s  ${describeFault(fault)}`);
        if (fault.kind !== 'clock') for (const name of names) busy.add(name);
        under.push(
          begin(fault).finally(() => {
            if (fault.kind !== 'clock') for (const name of names) busy.delete(name);
          }),
        );
      }
      await Promise.all(under);
    },
  };
};
