/**
 * Does to the running programs what the schedule says, and undoes it: who is paused goes on, who is killed is started again until it stays
 * up. What is done, and from when to when, is kept for the stories of the report. Nothing here throws: a program that does not come back is
 * a finding of the run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@thrum/actors/system/describe-error';
import type { Mesh } from '../../infra/local/start-mesh.ts';
import type { Role } from '../../infra/local/role.ts';
import type { ChaosAgent } from './chaos-agent.ts';
import type { ChaosStore } from './chaos-store.ts';
import { sweepFakedClocks, type FakedClock } from './faked-clock.ts';
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
};

export type Breaking = {
  readonly done: readonly Done[];
  /** Resolves when the last fault is undone. */
  run(plan: readonly Planned[]): Promise<void>;
};

const again = 1000;
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

  const act = async (fault: Fault): Promise<string> => {
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
    }
  };

  const begin = async (fault: Fault): Promise<void> => {
    const one: Done = { fault, fromMs: Date.now(), toMs: undefined, trouble: '' };
    done.push(one);
    try {
      one.trouble = await act(fault);
    } catch (error) {
      one.trouble = errorMessage(error);
    }
    one.toMs = Date.now();
    if (one.trouble !== '') say(`  ${describeFault(fault)}: ${one.trouble}`);
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
