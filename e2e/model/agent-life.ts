/**
 * One start of an agent: its real beat, sample clock, queue and uplink, over a disk and connections that are simulated. What the host keeps
 * over its starts is in `AgentHost`. Measuring is the one thing made up: every sample has a number of its own.
 */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { encodeBatch, type Sample } from '@thrum/actors/wire/batch';
import { nextEpoch } from '../../agent/src/identity.ts';
import { createMemoryQueue } from '../../agent/src/queue/memory-queue.ts';
import type { Queue } from '../../agent/src/queue/queue.ts';
import { beginSampleTime, hearServerClock } from '../../agent/src/sample-time.ts';
import { startSampling } from '../../agent/src/sampling.ts';
import type { Recent } from '../../agent/src/uplink/recent.ts';
import { startUplink, type Uplink, type UplinkOptions } from '../../agent/src/uplink/uplink-actor.ts';
import { hostIdOf, modelDictionary, modelToken, periodMs } from './installation.ts';
import type { KeptRecord, Ledger, ProducedSample } from './ledger.ts';

/** What is left of an agent when its process is gone. */
export type AgentHost = {
  readonly index: number;
  readonly id: string;
  epochFile: string | undefined;
  queue: Queue;
};

export const newAgentHost = (index: number): AgentHost => ({
  index,
  id: hostIdOf(index),
  epochFile: undefined,
  queue: createMemoryQueue({ maxBytes: 1e7 }),
});

export type AgentLife = {
  readonly life: Life;
  readonly queue: Queue;
  readonly uplink: Uplink;
  readonly epoch: number;
  stop(): Promise<void>;
};

const noRecent: Recent = {
  add: () => undefined,
  answer: () => ({ dictionary: modelDictionary.hash, groups: [] }),
  bytes: () => 0,
};
const poisonRate = 0.02;

export type Measure = {
  /** Numbers that no sample has had. */
  next(): number;
  readonly random: () => number;
  isQuiet(): boolean;
};

const measure = (of: Measure, timeMs: number): Sample[] => {
  const values = (): number[] => [of.next(), of.random() < poisonRate ? -1 : Math.floor(of.random() * 100)];
  const devices = ['sda', 'sdb'].slice(0, Math.floor(of.random() * 3));
  return [
    { target: 0, fields: [], timeMs, values: values() },
    ...devices.map((device) => ({ target: 1, fields: [device], timeMs, values: values() })),
  ];
};

const asProduced = (sample: Sample): ProducedSample => ({
  number: sample.values[0] ?? 0,
  mood: sample.values[1] ?? 0,
  target: sample.target === 0 ? 'machine' : 'disk',
  device: sample.fields[0],
  timeMs: sample.timeMs,
});

export const startAgentLife = (options: {
  readonly host: AgentHost;
  readonly life: Life;
  readonly connect: NonNullable<UplinkOptions['connect']>;
  readonly random: () => number;
  readonly measure: Measure;
  readonly ledger: Ledger;
  /** A batch is in the queue, as safe as it can be. */
  readonly kept: (record: KeptRecord) => void;
  readonly failed: (what: string, error: unknown) => void;
  readonly log?: Log | undefined;
}): AgentLife => {
  const { host, life, ledger, random, log = silentLog } = options;
  const { clock } = life;
  const { queue } = host;
  const epoch = nextEpoch(host.epochFile, clock.wallMs());
  host.epochFile = `${epoch}\n`;
  const boot = `00000000-0000-4000-9000-${String(Math.floor(random() * 1e12)).padStart(12, '0')}`;
  const time = { state: beginSampleTime(undefined) };
  let seq = 0;
  const uplink = startUplink({
    ready: Promise.resolve(),
    urls: ['http://balancer'],
    facts: () => ({
      ...{ token: modelToken, host: host.id, boot, epoch, agentVersion: '0', periodMs, cluster: 'model', labels: {} },
      machine: { name: 'm', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 0, virtual: '' },
    }),
    dictionary: modelDictionary,
    ...{ queue, recent: noRecent, clock, log, random, connect: options.connect },
    onServerClock: (offsetMs) => (time.state = hearServerClock(time.state, offsetMs)),
  });
  const take = async (samples: readonly Sample[], timeMs: number): Promise<void> => {
    const { bytes } = encodeBatch(modelDictionary, epoch, seq, samples);
    const batch = {
      ...{ kind: 'batch' as const, epoch, seq, timeMs },
      ...{ dictionary: modelDictionary.hash, samples: samples.length, bytes },
    };
    seq += 1;
    const record: KeptRecord = ledger.offered({
      host: host.id,
      epoch,
      seq: batch.seq,
      samples: samples.map(asProduced),
      events: [],
    });
    await queue.append(batch, modelDictionary);
    record.strength = 'safe';
    uplink.offer(batch);
    options.kept(record);
  };
  const sampling = startSampling({
    ...{ clock, periodMs, time, isSlow: false, counters: { tickMs: 0, leftOut: 0 } },
    rounds: {
      run: ({ timeMs }) => Promise.resolve(options.measure.isQuiet() ? [] : measure(options.measure, timeMs)),
      latest: () => undefined,
      counters: { rounds: 0, values: 0, failures: 0, overLimit: 0 },
      close: () => undefined,
    },
    onSamples: take,
    onClockStep: () => uplink.renew('the clock of this host was set'),
    onFault: (error) => options.failed('a tick was lost', error),
  });
  return {
    ...{ life, queue, uplink, epoch },
    stop: async () => {
      await sampling.stop();
      await uplink.stop();
      await queue.close();
    },
  };
};
