/**
 * One round of all collectors: everything measured in one tick, under one time. A collector that throws loses its samples of this tick
 * and is counted; one that is still busy when the round has to end is counted too, and is not asked again before it is done.
 */
import { errorMessage } from '@thrum/actors/system/describe-error';
import type { Log } from '@thrum/actors/system/log';
import type { Sample } from '@thrum/actors/wire/batch';
import type { Add, Collector, CollectorKind, Sources, Values } from './collector.ts';

/** Instances of one target in one tick: raising it lets a host with more disks or mounts through, at 100 bytes of batch each. */
const maxInstances = 256;

export type RoundCounters = {
  rounds: number;
  values: number;
  failures: number;
  /** Samples over the limit of instances per target. */
  overLimit: number;
};

type Station = {
  readonly name: string;
  readonly target: number;
  readonly collector: Collector;
  busy: boolean;
  /** Counts the rounds it took part in: what a round hands over after its end is nobody's. */
  turn: number;
  failed: boolean;
  /** What went wrong last time, so that a lasting fault is logged once. */
  problem: string | undefined;
  slots: { fields: readonly string[]; values: Values; timeMs: number; target: number }[];
  used: number;
};

export type Rounds = {
  /** Measures everything now. The samples are good until the next round. */
  run(at: { timeMs: number; monotonicMs: number; deadlineMs: number }): Promise<readonly Sample[]>;
  readonly counters: Readonly<RoundCounters>;
  /** The newest value of a metric by name, for the agent's own page of figures. */
  latest(target: string, fields: readonly string[], metric: string): number | undefined;
  close(): void;
};

export const startRounds = (kinds: readonly CollectorKind[], sources: Sources, log: Log): Rounds => {
  const counters: RoundCounters = { rounds: 0, values: 0, failures: 0, overLimit: 0 };
  const stations: Station[] = [];
  kinds.forEach((kind, target) => {
    const collector = kind.start(sources);
    if (collector)
      stations.push({
        name: kind.target.name,
        target,
        collector,
        busy: false,
        turn: 0,
        failed: false,
        problem: undefined,
        slots: [],
        used: 0,
      });
    else log.info({ target: kind.target.name }, 'this machine does not offer this target');
  });

  const fail = (station: Station, problem: string): void => {
    counters.failures += 1;
    station.failed = true;
    if (station.problem !== problem) log.warn({ target: station.name, problem }, 'a collector failed');
    station.problem = problem;
  };

  /** Copies values into a slot of the station that is used tick after tick. */
  const adder = (station: Station, timeMs: number): Add => {
    const { turn } = station;
    return (fields, values) => {
      if (turn !== station.turn) return;
      if (station.used >= maxInstances) {
        counters.overLimit += 1;
        return;
      }
      const slot = (station.slots[station.used] ??= { fields, values: [], timeMs, target: station.target });
      station.used += 1;
      slot.fields = fields;
      slot.timeMs = timeMs;
      for (let i = 0; i < values.length; i += 1) slot.values[i] = values[i];
    };
  };

  const lose = (station: Station, problem: string): void => {
    station.turn += 1;
    station.used = 0;
    fail(station, problem);
  };

  const settle = (station: Station): void => {
    station.busy = false;
    if (station.failed || station.problem === undefined) return;
    log.info({ target: station.name }, 'a collector works again');
    station.problem = undefined;
  };

  /** A promise while the collector is at work; nothing when it is done, or still busy with a round before. */
  const collect = (station: Station, at: { timeMs: number; monotonicMs: number }): Promise<void> | undefined => {
    if (station.busy) {
      lose(station, 'still busy with a round before');
      return undefined;
    }
    station.turn += 1;
    station.used = 0;
    station.failed = false;
    const { turn } = station;
    const tick = {
      monotonicMs: at.monotonicMs,
      partly: (problem: string) => {
        if (turn === station.turn) fail(station, problem);
      },
    };
    station.busy = true;
    try {
      const pending = station.collector.collect(tick, adder(station, at.timeMs));
      if (pending)
        return pending
          .catch((error: unknown) => {
            if (turn === station.turn) lose(station, errorMessage(error));
          })
          .finally(() => settle(station));
    } catch (error) {
      lose(station, errorMessage(error));
    }
    settle(station);
    return undefined;
  };

  return {
    counters,
    run: async (at) => {
      counters.rounds += 1;
      const working: { station: Station; turn: number; done: Promise<void> }[] = [];
      for (const station of stations) {
        const done = collect(station, at);
        if (done) working.push({ station, turn: station.turn, done });
      }
      if (working.length > 0) {
        let timer: NodeJS.Timeout | undefined;
        const deadline = new Promise((resolve) => {
          timer = setTimeout(resolve, at.deadlineMs);
        });
        await Promise.race([Promise.all(working.map((one) => one.done)), deadline]);
        clearTimeout(timer);
      }
      for (const { station, turn } of working)
        if (station.busy && station.turn === turn) lose(station, `no measurement within ${at.deadlineMs} ms`);
      const samples: Sample[] = [];
      for (const station of stations) {
        for (let i = 0; i < station.used; i += 1) {
          const slot = station.slots[i];
          if (!slot) continue;
          samples.push(slot);
          for (const value of slot.values) if (value !== undefined) counters.values += 1;
        }
      }
      return samples;
    },
    latest: (target, fields, metric) => {
      const kind = kinds.find((one) => one.target.name === target);
      const station = stations.find((one) => one.name === target);
      const at = kind?.target.metrics.findIndex((one) => one.name === metric) ?? -1;
      for (let i = 0; i < (station?.used ?? 0); i += 1) {
        const slot = station?.slots[i];
        if (slot?.fields.every((field, k) => field === fields[k])) return slot.values[at];
      }
      return undefined;
    },
    close: () => {
      for (const { collector } of stations) collector.close?.();
    },
  };
};
