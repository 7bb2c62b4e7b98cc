/** The agent put together: samples become batches, batches go into the queue and the last minutes, and from there on their way. */
import { encodeBatch } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import type { Sample } from '@thrum/actors/wire/batch';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { collectors } from './collectors/collectors.ts';
import { openLinuxSources } from './collectors/linux-sources.ts';
import { startRounds } from './collectors/round.ts';
import type { SystemInformation } from './collectors/system-information.ts';
import type { AgentSettings } from './config.ts';
import { lockDirectory } from './directory-lock.ts';
import { figuresOf } from './figures.ts';
import { serveFigures } from './figures-page.ts';
import { findMachine } from './hardware.ts';
import { prepareDirectory, readLastSampleMs, takeIdentity, writeLastSampleMs, type Identity } from './identity.ts';
import { createMemoryQueue } from './queue/memory-queue.ts';
import { beginSampleTime, hearServerClock } from './sample-time.ts';
import { startSampling } from './sampling.ts';
import { createRecent } from './uplink/recent.ts';
import { startUplink, type Uplink } from './uplink/uplink-actor.ts';

export const agentVersion = '0.1.0';

/** A tick of 100 values takes 1.2 KB: three hours of them. Raising it costs that much memory when ingest is away. */
const queueBytes = 16 * 1024 * 1024;
const keepTimeMs = 10_000;

export type Agent = {
  readonly identity: Identity;
  /** 0 when the page of figures is off. */
  readonly metricsPort: number;
  stop(): Promise<void>;
};

/** Throws a StartError with a message for a person when the directory or the port cannot be had. */
export const startAgent = async (options: {
  readonly settings: AgentSettings;
  /** The file to start for the identifying process. */
  readonly program: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}): Promise<Agent> => {
  const { settings, clock, log } = options;
  prepareDirectory(settings.data);
  const lock = await lockDirectory(settings.data);
  const identity = takeIdentity(settings.data, clock.wallMs());
  const dictionary = dictionaryOf(collectors.map((kind) => kind.target));
  const queue = createMemoryQueue({ maxBytes: queueBytes });
  const recent = createRecent(dictionary.hash);
  const time = { state: beginSampleTime(readLastSampleMs(settings.data)) };
  const counters = { valuesLeftOut: 0, queueFaults: 0 };
  const beat = { tickMs: 0, leftOut: 0 };
  let seq = 0;
  let keptMs = 0;

  // Before anything is under way: a port that is taken ends the start. Nobody is answered before the lines below have run.
  const page =
    settings.metricsPort === 0
      ? undefined
      : await serveFigures(settings.metricsPort, () =>
          figuresOf({ rounds, queue, recent, uplink, counters, sampling: beat }),
        ).catch(async (error: unknown) => {
          await lock.release();
          throw error;
        });

  const facts = findMachine({
    directory: settings.data,
    name: settings.hostName,
    program: options.program,
    clock,
    onChange: () => uplink.renew('more is known about this machine'),
  });
  const uplink: Uplink = startUplink({
    ready: facts.ready,
    urls: settings.ingest,
    facts: () => ({
      token: settings.token,
      host: identity.host,
      boot: identity.boot,
      epoch: identity.epoch,
      agentVersion,
      periodMs: settings.periodMs,
      cluster: settings.cluster,
      labels: settings.labels,
      machine: facts.machine(),
    }),
    dictionary,
    queue,
    recent,
    clock,
    log,
    random: options.random,
    onServerClock: (offsetMs) => {
      time.state = hearServerClock(time.state, offsetMs);
    },
  });

  const isLinux = process.platform === 'linux';
  let loaded: Promise<SystemInformation> | undefined;
  const linux = isLinux ? openLinuxSources() : undefined;
  const rounds = startRounds(
    collectors,
    {
      linux,
      elsewhere: () =>
        (loaded ??= import('./collectors/system-information.ts').then((module) => module.openSystemInformation())),
      agentFigures: () => ({
        tickMs: beat.tickMs,
        valuesCollected: rounds.counters.values,
        valuesLeftOut: counters.valuesLeftOut,
        collectorFailures: rounds.counters.failures,
        queueBatches: queue.size().batches,
        queueBytes: queue.size().bytes,
        queueDropped: queue.size().dropped,
        batchesSent: uplink.counters.sent,
        batchesResent: uplink.counters.resent,
        batchesAcknowledged: uplink.counters.acknowledged,
        samplesRefused: uplink.counters.samplesRefused,
        reconnects: Math.max(0, uplink.counters.connections - 1),
        samplesProduced: undefined,
        samplesStored: undefined,
        samplesGap: undefined,
        samplesQueued: undefined,
        queueDegraded: 0,
        queueAgeSeconds: undefined,
        samplesRefusedTotal: undefined,
      }),
    },
    log,
  );

  const keepTime = (timeMs: number): void => {
    try {
      writeLastSampleMs(settings.data, timeMs);
    } catch (error) {
      log.warn({ error }, 'the time of the last sample could not be kept in the data directory');
    }
  };

  const take = async (samples: readonly Sample[], timeMs: number): Promise<void> => {
    const { bytes, leftOut } = encodeBatch(dictionary, identity.epoch, seq, samples);
    counters.valuesLeftOut += leftOut;
    const batch = {
      ...{ kind: 'batch' as const, epoch: identity.epoch, seq, timeMs },
      ...{ dictionary: dictionary.hash, samples: samples.length, bytes },
    };
    seq += 1;
    await queue.append(batch, dictionary);
    recent.add(bytes, timeMs);
    uplink.offer(batch);
    if (Math.abs(timeMs - keptMs) < keepTimeMs) return;
    keptMs = timeMs;
    keepTime(timeMs);
  };

  const sampling = startSampling({
    clock,
    periodMs: settings.periodMs,
    rounds,
    isSlow: !isLinux,
    time,
    counters: beat,
    onSamples: take,
    onClockStep: () => uplink.renew('the clock of this host was set'),
    onFault: (error) => {
      counters.queueFaults += 1;
      log.error({ error }, 'a tick was lost');
    },
  });

  return {
    identity,
    metricsPort: page?.port ?? 0,
    stop: async () => {
      await sampling.stop();
      if (time.state.lastMs !== undefined) keepTime(time.state.lastMs);
      await uplink.stop();
      page?.close();
      await queue.close();
      rounds.close();
      linux?.close();
      await lock.release();
    },
  };
};
