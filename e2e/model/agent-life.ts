/**
 * One start of an agent: its real beat, sample clock, queue and uplink, over a disk and connections that are simulated. Measuring is the one thing
 * made up: every sample has a number of its own.
 */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import { silentLog, type Log } from '@thrum/actors/system/log';
import type { Sample } from '@thrum/actors/wire/batch';
import type { AgentEvent, Events } from '@thrum/actors/wire/events';
import { startHappenings } from '../../agent/src/happenings.ts';
import { nextEpoch } from '../../agent/src/identity.ts';
import type { Queue } from '../../agent/src/queue/queue.ts';
import { startRecording, type Recording } from '../../agent/src/recording.ts';
import { beginSampleTime, hearServerClock, rightTimeMs } from '../../agent/src/sample-time.ts';
import { startSampling } from '../../agent/src/sampling.ts';
import type { Recent } from '../../agent/src/uplink/recent.ts';
import type { Uplink, UplinkOptions } from '../../agent/src/uplink/uplink.ts';
import { startUplink } from '../../agent/src/uplink/uplink-actor.ts';
import { openHostQueue, type AgentHost } from './agent-host.ts';
import { modelDictionary, modelToken, periodMs } from './installation.ts';
import type { KeptRecord, Ledger, ProducedSample } from './ledger.ts';
import type { WrongRules } from './mutant.ts';
import type { Plan } from './plan.ts';

/** `queue` and `uplink` are there when the queue has been opened. */
export type AgentLife = {
  readonly life: Life;
  queue: Queue | undefined;
  uplink: Uplink | undefined;
  recording: Recording | undefined;
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

const asFound = (ms: number | undefined): number | undefined => ms;
const eventsOf = (bytes: Uint8Array): readonly AgentEvent[] =>
  (JSON.parse(Buffer.from(bytes).toString()) as Events).events;

export type AgentLifeOptions = {
  readonly host: AgentHost;
  readonly life: Life;
  readonly limits: Plan['queue'];
  readonly rules: WrongRules;
  readonly connect: NonNullable<UplinkOptions['connect']>;
  readonly random: () => number;
  readonly measure: Measure;
  readonly ledger: Ledger;
  /** On its way into the queue. */
  readonly offered: (record: KeptRecord) => void;
  /** A batch is in the queue, as safe as it can be. */
  readonly kept: (record: KeptRecord) => void;
  readonly failed: (what: string, error: unknown) => void;
  readonly log?: Log | undefined;
};

export const startAgentLife = (options: AgentLifeOptions): AgentLife => {
  const agent: AgentLife = {
    ...{ life: options.life, queue: undefined, uplink: undefined, recording: undefined },
    stop: () => Promise.resolve(),
  };
  run(agent, options).catch((error: unknown) => options.failed('the agent does not start', error));
  return agent;
};

const run = async (agent: AgentLife, options: AgentLifeOptions): Promise<void> => {
  const { host, life, ledger, random, rules, log = silentLog } = options;
  const { clock } = life;
  const epoch = (rules.identity?.nextEpoch ?? nextEpoch)(host.epochFile, clock.wallMs());
  host.epochFile = `${epoch}\n`;
  const boot = `00000000-0000-4000-9000-${String(Math.floor(random() * 1e12)).padStart(12, '0')}`;
  const queue = await openHostQueue({ host, life, epoch, random, log, rules, limits: options.limits });
  const time = { state: beginSampleTime((rules.identity?.lastSampleMs ?? asFound)(queue.found.lastSampleMs)) };
  const uplink = startUplink({
    ready: Promise.resolve(),
    urls: ['http://balancer'],
    facts: () => ({
      ...{ token: modelToken, host: host.id, boot, epoch, agentVersion: '0', periodMs, cluster: 'model', labels: {} },
      machine: { name: 'm', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 1, memoryBytes: 0, virtual: '' },
    }),
    dictionary: modelDictionary,
    ...{ queue, recent: noRecent, clock, log, random, connect: options.connect, rules: rules.uplink ?? {} },
    onServerClock: (offsetMs) => (time.state = hearServerClock(time.state, offsetMs)),
  });
  /** What the next batch is made of. */
  let measured: readonly Sample[] = [];
  const records = new Map<number, KeptRecord>();
  const watched: Pick<Queue, 'append'> = {
    append: async (batch, dictionary) => {
      const { seq } = batch;
      const events = batch.kind === 'events' ? eventsOf(batch.bytes) : [];
      const samples = batch.kind === 'batch' ? measured.map(asProduced) : [];
      const record = ledger.offered({ host: host.id, epoch, seq, samples, events });
      options.offered(record);
      await queue.append(batch, dictionary);
      ledger.kept(record, queue.durability().state);
      records.set(seq, record);
    },
  };
  const recording = startRecording({
    ...{ queue: watched, dictionary: modelDictionary, epoch, log },
    onSafe: (batch) => {
      uplink.offer(batch);
      const record = records.get(batch.seq);
      records.delete(batch.seq);
      if (record && batch.kind === 'batch') options.kept(record);
    },
  });
  const happenings = startHappenings({
    ...{ queue, recording, epoch, agentVersion: '0', found: queue.found, clock, log },
    nowMs: () => rightTimeMs(time.state, clock.wallMs()),
  });
  const sampling = startSampling({
    ...{ clock, periodMs, time, isSlow: false, counters: { tickMs: 0, leftOut: 0 } },
    rounds: {
      // The queue looks whether its disk works again when it has something to write.
      run: ({ timeMs }) =>
        Promise.resolve(
          options.measure.isQuiet() && queue.durability().state === 'durable' ? [] : measure(options.measure, timeMs),
        ),
      latest: () => undefined,
      counters: { rounds: 0, values: 0, failures: 0, overLimit: 0 },
      close: () => undefined,
    },
    onSamples: (samples, timeMs) => {
      measured = samples;
      recording.samples(samples, timeMs);
    },
    onClockStep: () => uplink.renew('the clock of this host was set'),
    onFault: (error) => options.failed('a tick was lost', error),
  });
  agent.recording = recording;
  agent.queue = queue;
  agent.uplink = uplink;
  agent.stop = async () => {
    await sampling.stop();
    await happenings.stop();
    await uplink.stop();
    await queue.close();
  };
};
