/**
 * Thousands of agents in one process, speaking the real protocol over real connections. For measuring and testing ingest: what a host
 * costs to measure is left out, what it costs to send is made cheap (`batch-slots.ts`).
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock, Timer } from '@thrum/actors/system/clock';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { protocolVersion } from '@thrum/actors/wire/version';
import { BatchSlots } from './batch-slots.ts';
import { simulatedCatalogue } from './catalogue.ts';
import { FleetCounts } from './fleet-counts.ts';
import { Latencies } from './latency.ts';
import { Signals } from './signals.ts';
import { SimulatedAgent } from './simulated-agent.ts';

/** Batches per second and agent; `max`: as fast as they are acknowledged; 0: none. */
export type Rate = number | 'max';

export type FleetOptions = {
  readonly url: string;
  readonly token: string;
  readonly agents: number;
  readonly targets: number;
  readonly values: number;
  readonly rate: Rate;
  /** Number of the first agent: fleets in several processes must not be the same hosts. */
  readonly first?: number;
  readonly connectPerSecond?: number;
  /** Of the protocol that is spoken; those before 3 know no pace. */
  readonly protocol?: number;
  readonly clock: Clock;
};

export type Fleet = {
  readonly counts: FleetCounts;
  /** From sending a batch for the first time to its acknowledgement. */
  readonly latencies: Latencies;
  /** Agents whose hello was welcomed and whose connection stands. */
  ready(): number;
  /** Agents that a refusal ended. */
  over(): number;
  unacknowledged(): number;
  setRate(rate: Rate): void;
  /** Resolves when all agents are ready, rejects when one is ended by a refusal. */
  untilReady(withinMs: number): Promise<void>;
  stop(): Promise<void>;
};

const stepMs = 10;

/** The same number gives the same host in every run. */
export const hostIdOf = (number: number): string => {
  const hex = createHash('sha256').update(`thrum simulated host ${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

export const startFleet = (options: FleetOptions): Fleet => {
  const { url, token, clock, first = 1 } = options;
  const dictionary = dictionaryOf(simulatedCatalogue(options.targets, options.values));
  const epoch = Math.floor(clock.wallMs() / 1000); // larger at every start
  const slots = new BatchSlots(dictionary, epoch, 'simulated');
  const counts = new FleetCounts();
  const latencies = new Latencies();
  const agents = Array.from({ length: options.agents }, (_, i) => {
    const number = first + i;
    return new SimulatedAgent({
      url,
      hello: {
        protocol: options.protocol ?? protocolVersion,
        token,
        host: hostIdOf(number),
        boot: randomUUID(),
        epoch,
        agentVersion: '0.1.0',
        periodMs: 1000,
        dictionary: dictionary.hash,
        cluster: 'simulated',
        labels: {},
        machine: {
          name: `simulated-${number}`,
          os: 'simulated',
          kernel: '',
          arch: '',
          model: '',
          cpu: '',
          cores: 0,
          memoryBytes: 0,
          virtual: '',
        },
      },
      dictionary,
      signals: new Signals(options.values, options.targets, number),
      slots,
      counts,
      latencies,
      clock,
    });
  });

  const timers: Timer[] = [];
  const perSecond = options.connectPerSecond ?? 200;
  agents.forEach((agent, i) => timers.push(clock.after((i * 1000) / perSecond, () => agent.connect())));

  let rate: Rate = 0;
  const setRate = (wanted: Rate): void => {
    rate = wanted;
    for (const agent of agents) agent.setGreedy(rate === 'max');
  };
  setRate(options.rate);

  // One timer for all: the ticks of the agents are spread evenly, and each step makes those that have become due.
  let doneTicks = 0;
  let beforeMs = clock.monotonicMs();
  let owedTicks = 0;
  timers.push(
    clock.every(stepMs, () => {
      const nowMs = clock.monotonicMs();
      if (typeof rate === 'number') owedTicks += ((nowMs - beforeMs) / 1000) * rate * agents.length;
      beforeMs = nowMs;
      for (; owedTicks >= 1; owedTicks -= 1) {
        agents[doneTicks % agents.length]?.tick();
        doneTicks += 1;
      }
    }),
  );

  const ready = (): number => agents.filter((agent) => agent.ready).length;
  const over = (): number => agents.filter((agent) => agent.over).length;
  return {
    counts,
    latencies,
    ready,
    over,
    unacknowledged: () => agents.reduce((sum, agent) => sum + agent.unacknowledged, 0),
    setRate,
    untilReady: async (withinMs) => {
      const untilMs = clock.monotonicMs() + withinMs;
      while (ready() < agents.length) {
        const codes = Array.from(counts.details, ([code, detail]) => `${code} (${detail})`).join(', ');
        if (over() > 0) throw new Error(`${over()} of ${agents.length} agents were refused for good: ${codes}`);
        if (clock.monotonicMs() > untilMs)
          throw new Error(
            `${ready()} of ${agents.length} agents are connected to ${url} after ${withinMs} ms. ${codes}`,
          );
        await new Promise<void>((next) => clock.after(50, next));
      }
    },
    stop: async () => {
      for (const timer of timers) timer.cancel();
      await Promise.all(agents.map((agent) => agent.leave()));
    },
  };
};
