/** The agent put together: what was measured is recorded in the queue, and from there goes on its way. */
import { join } from 'node:path';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import type { Clock } from '@thrum/actors/system/clock';
import { errorMessage } from '@thrum/actors/system/describe-error';
import type { Log } from '@thrum/actors/system/log';
import { collectors } from './collectors/collectors.ts';
import { openLinuxSources } from './collectors/linux-sources.ts';
import { startRounds } from './collectors/round.ts';
import type { SystemInformation } from './collectors/system-information.ts';
import type { AgentSettings } from './config.ts';
import { deliveryFigures, healthOf } from './delivery-figures.ts';
import { lockDirectory } from './directory-lock.ts';
import { figuresOf } from './figures.ts';
import { serveFigures } from './figures-page.ts';
import { startHappenings } from './happenings.ts';
import { findMachine } from './hardware.ts';
import {
  aboveEpoch,
  forgetLastSample,
  prepareDirectory,
  readLastSampleMs,
  StartError,
  takeIdentity,
  type Identity,
  type Warn,
} from './identity.ts';
import { mendDiskError } from './queue/disk-error.ts';
import { openDiskQueue, type DiskQueue } from './queue/disk-queue.ts';
import { openFileDisk } from './queue/file-disk.ts';
import { startRecording } from './recording.ts';
import { beginSampleTime, hearServerClock, rightTimeMs } from './sample-time.ts';
import { startSampling } from './sampling.ts';
import { createRecent } from './uplink/recent.ts';
import { startUplink } from './uplink/uplink-actor.ts';
import type { Uplink } from './uplink/uplink.ts';

export const agentVersion = '0.1.0';

const hourMs = 3_600_000;
/** How long a stop waits for a slow disk to take the last records. */
const settleMs = 500;

export type Agent = {
  readonly identity: Identity;
  /** 0 when the page of figures is off. */
  readonly metricsPort: number;
  stop(): Promise<void>;
};

const openQueue = async ({ settings, clock, log }: StartOptions, identity: Identity): Promise<DiskQueue> => {
  const directory = join(settings.data, 'queue');
  try {
    return await openDiskQueue({
      disk: openFileDisk(directory),
      host: identity.host,
      epoch: identity.epoch,
      maxBytes: settings.queueBytes,
      maxAgeMs: settings.queueAgeHours * hourMs,
      clock,
      log,
    });
  } catch (error) {
    throw new StartError(`The queue in ${directory} cannot be used: ${errorMessage(error)}. ${mendDiskError(error)}`, {
      cause: error,
    });
  }
};

export type StartOptions = {
  readonly settings: AgentSettings;
  /** The file to start for the identifying process. */
  readonly program: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
};

/** Throws a StartError with a message for a person when the directory or the port cannot be had. */
export const startAgent = async (options: StartOptions): Promise<Agent> => {
  const { settings, clock, log } = options;
  prepareDirectory(settings.data);
  const lock = await lockDirectory(settings.data);
  try {
    const warn: Warn = (fields, message) => log.warn(fields, message);
    const taken = takeIdentity(settings.data, clock.wallMs(), warn);
    const queue = await openQueue(options, taken);
    try {
      const identity = aboveEpoch(settings.data, taken, queue.found.lastEpoch, warn);
      return await startParts(options, identity, queue, () => lock.release());
    } catch (error) {
      await queue.close();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
};

const startParts = async (
  options: StartOptions,
  identity: Identity,
  queue: DiskQueue,
  unlock: () => Promise<void>,
): Promise<Agent> => {
  const { settings, clock, log } = options;
  const dictionary = dictionaryOf(collectors.map((kind) => kind.target));
  const recent = createRecent(dictionary.hash);
  const kept = [queue.found.lastSampleMs, readLastSampleMs(settings.data)].filter((ms) => ms !== undefined);
  const time = { state: beginSampleTime(kept.length > 0 ? Math.max(...kept) : undefined) };
  const beat = { tickMs: 0, leftOut: 0 };
  let hasOldFile = true;
  const delivery = () => deliveryFigures(queue, uplink.counters, time.state.lastMs);

  // Before anything is under way: a port that is taken ends the start. Nobody is answered before the lines below have run.
  const page =
    settings.metricsPort === 0
      ? undefined
      : await serveFigures(
          settings.metricsPort,
          () => figuresOf({ rounds, recent, uplink, recording, sampling: beat, delivery: delivery() }),
          () => healthOf(queue),
        );

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
        valuesLeftOut: recording.counters.valuesLeftOut,
        collectorFailures: rounds.counters.failures,
        ...delivery(),
      }),
    },
    log,
  );

  const recording = startRecording({
    queue,
    dictionary,
    epoch: identity.epoch,
    log,
    onSafe: (record) => {
      uplink.offer(record);
      if (record.kind !== 'batch') return;
      recent.add(record.bytes, record.timeMs);
      if (!hasOldFile || queue.durability().state !== 'durable') return;
      hasOldFile = false;
      forgetLastSample(settings.data);
    },
  });
  const happenings = startHappenings({
    queue,
    recording,
    epoch: identity.epoch,
    agentVersion,
    found: queue.found,
    clock,
    nowMs: () => rightTimeMs(time.state, clock.wallMs()),
    log,
  });

  const sampling = startSampling({
    clock,
    periodMs: settings.periodMs,
    rounds,
    isSlow: !isLinux,
    time,
    counters: beat,
    onSamples: (samples, timeMs) => recording.samples(samples, timeMs),
    onClockStep: () => uplink.renew('the clock of this host was set'),
    onFault: (error) => log.error({ error }, 'a tick was lost'),
  });

  return {
    identity,
    metricsPort: page?.port ?? 0,
    stop: async () => {
      await sampling.stop();
      const patience = new Promise<void>((resolve) => void clock.after(settleMs, resolve));
      await Promise.race([happenings.stop(), patience]);
      await uplink.stop();
      page?.close();
      await queue.close();
      rounds.close();
      linux?.close();
      await unlock();
    },
  };
};
