/** What is left of an agent when its process is gone: its disk, and with it its queue and the number of its last start. */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import type { Log } from '@thrum/actors/system/log';
import { openDiskQueue, type DiskQueue } from '../../agent/src/queue/disk-queue.ts';
import { simulatedDisk, type SimulatedDisk } from '../../agent/src/queue/simulated-disk.ts';
import { hostIdOf } from './installation.ts';
import type { WrongRules } from './mutant.ts';
import type { Plan } from './plan.ts';

export type AgentHost = {
  readonly index: number;
  readonly id: string;
  readonly disk: SimulatedDisk;
  /** The life that uses the disk: what it waits for ends with it. */
  life: Life | undefined;
  /** Durable as soon as it is written. */
  epochFile: string | undefined;
};

const never = (): never => {
  throw new Error('BUG: a disk that nobody uses');
};

export const newAgentHost = (index: number, random: () => number): AgentHost => {
  const host: AgentHost = {
    index,
    id: hostIdOf(index),
    life: undefined,
    epochFile: undefined,
    disk: simulatedDisk({
      random,
      clock: {
        ...{ wallMs: never, monotonicMs: never, every: never },
        after: (ms, run) => host.life?.clock.after(ms, run) ?? never(),
      },
    }),
  };
  return host;
};

/** The queue on that disk, as this start finds it. */
export const openHostQueue = (options: {
  readonly host: AgentHost;
  readonly life: Life;
  readonly epoch: number;
  readonly limits: Plan['queue'];
  readonly random: () => number;
  readonly log: Log;
  readonly rules: WrongRules;
}): Promise<DiskQueue> => {
  const { host, life, epoch, random, log, rules } = options;
  host.life = life;
  return openDiskQueue({
    ...{
      disk: host.disk.disk,
      host: host.id,
      epoch,
      clock: life.clock,
      log,
      ...options.limits,
      rules: rules.queue ?? {},
    },
    randomBytes: (many) => Uint8Array.from({ length: many }, () => Math.floor(random() * 256)),
  });
};
