/**
 * What happens to an installation, drawn from a seed before anything runs: how many agents and ingest nodes, how slow the network, which faults
 * when. Plain data, so that it can be printed, and so that leaving steps out leaves the others as they are.
 */
import { seededRandom } from '@thrum/actors/testing/random';
import type { StoreTrouble } from './simulated-elasticsearch.ts';

export type Fault =
  | { kind: 'agent-kill'; agent: number }
  | { kind: 'agent-power'; agent: number }
  | { kind: 'agent-stop'; agent: number }
  | { kind: 'agent-start'; agent: number }
  | { kind: 'agent-pause'; agent: number }
  | { kind: 'agent-resume'; agent: number }
  | { kind: 'agent-clock'; agent: number; ms: number }
  | { kind: 'disk-full'; agent: number; bytesFree: number }
  | {
      kind: 'disk-fails';
      agent: number;
      op: 'write' | 'sync' | 'create' | 'syncDirectory';
      times: number;
      written: number;
    }
  | { kind: 'disk-well'; agent: number }
  | { kind: 'ingest-kill'; ingest: number }
  | { kind: 'ingest-leave'; ingest: number }
  | { kind: 'ingest-start'; ingest: number }
  | { kind: 'ingest-pause'; ingest: number }
  | { kind: 'ingest-resume'; ingest: number }
  | { kind: 'ingest-clock'; ingest: number; ms: number }
  | { kind: 'cut'; agent: number }
  | { kind: 'dead-line'; agent: number }
  | { kind: 'cut-off'; agent: number; how: 'hangs' | 'refuses' }
  | { kind: 'reachable'; agent: number }
  | { kind: 'store'; trouble: StoreTrouble }
  | { kind: 'delete-index'; draw: number }
  /** What it measures next no node can read. */
  | { kind: 'unreadable'; agent: number };

export type Step = { readonly atMs: number } & Fault;

export type Plan = {
  readonly seed: number;
  readonly agents: number;
  readonly ingests: number;
  readonly delayMs: { readonly min: number; readonly max: number };
  /** What an agent's queue may hold, in bytes and in time. */
  readonly queue: { readonly maxBytes: number; readonly maxAgeMs: number };
  /** What the store of an ingest node may hold: the buffer of a bulk takes a quarter of it, or 64 KiB. */
  readonly storeBytes: number;
  readonly wallAheadMs: { readonly agents: readonly number[]; readonly ingests: readonly number[] };
  readonly steps: readonly Step[];
  /** Faults are over from here on: all processes run, everybody reaches everybody. */
  readonly restMs: number;
  /** Nothing more is measured from here on. */
  readonly quietMs: number;
  /** By now everything must have its end. */
  readonly endMs: number;
};

type Random = () => number;

const drainWithinMs = 150_000;
const dayMs = 86_400_000;
const sizes = {
  small: { agents: 1, ingests: 2, chaosMs: [3000, 12_000], maxFaults: 5 },
  large: { agents: 3, ingests: 3, chaosMs: [6000, 25_000], maxFaults: 9 },
} as const;
const largeRate = 0.15;

const pick = <T>(random: Random, from: readonly [T, ...(readonly T[])]): T =>
  from[Math.floor(random() * from.length)] ?? from[0];
const between = (random: Random, min: number, max: number): number => Math.round(min + random() * (max - min));

/** As often as they are drawn. */
const kinds = [
  'agent-kill',
  'agent-kill',
  'agent-power',
  'agent-power',
  'agent-stop',
  'agent-pause',
  'agent-clock',
  'disk-full',
  'disk-fails',
  'disk-fails',
  'machine-fails',
  'ingest-kill',
  'ingest-kill',
  'ingest-leave',
  'ingest-pause',
  'ingest-clock',
  'cut',
  'cut',
  'dead-line',
  'cut-off',
  'store',
  'store',
  'store',
  'store',
  'delete-index',
] as const;

const drawTrouble = (random: Random): StoreTrouble => {
  const rate = pick(random, [0.2, 0.5, 1]);
  return pick<StoreTrouble>(random, [
    { busyItems: rate },
    { failedItems: rate / 2, failedAfterItems: rate / 2 },
    { busy: rate, busyItems: 0.3 },
    { unavailable: rate },
    { lost: rate / 2 },
    { lostAfter: rate },
    { lostAfter: 0.5, busyItems: 0.5 },
    { gone: 'refuses' },
    { gone: 'hangs' },
    { maxItems: between(random, 1, 4) },
    { slowMs: between(random, 500, 20_000) },
  ]);
};

const unreadableRate = 0.12;

const drawStep = (random: Random): number =>
  pick(random, [dayMs, -dayMs, 3_600_000, -3_600_000, 1, 1, 1, 1]) * (random() < 0.5 ? 1 : random()) +
  between(random, -5000, 5000);

/** One fault and its end. */
const drawFault = (random: Random, size: { agents: number; ingests: number }, atMs: number, restMs: number): Step[] => {
  const agent = Math.floor(random() * size.agents);
  const ingest = Math.floor(random() * size.ingests);
  const over = (min: number, max: number): number => Math.min(restMs, atMs + between(random, min, max));
  const kind = pick(random, kinds);
  switch (kind) {
    case 'agent-kill':
    case 'agent-power':
    case 'agent-stop':
      return [
        { atMs, kind, agent },
        { atMs: over(20, 5000), kind: 'agent-start', agent },
      ];
    case 'agent-pause':
      return [
        { atMs, kind, agent },
        { atMs: over(50, 15_000), kind: 'agent-resume', agent },
      ];
    case 'disk-full':
      return [
        { atMs, kind, agent, bytesFree: pick(random, [0, 0, between(random, 0, 3000)]) },
        { atMs: over(500, 9000), kind: 'disk-well', agent },
      ];
    case 'disk-fails': {
      const op = pick<(Fault & { kind: 'disk-fails' })['op']>(random, [
        'write',
        'sync',
        'sync',
        'create',
        'syncDirectory',
      ]);
      const times = pick(random, [1, 1, 3, 1000]);
      return [
        { atMs, kind, agent, op, times, written: pick(random, [0, between(random, 1, 400)]) },
        { atMs: over(500, 9000), kind: 'disk-well', agent },
      ];
    }
    // One failed sync, nobody to send to, then the power: what the disk took back then is nowhere else.
    case 'machine-fails': {
      const powerMs = over(200, 2500);
      return [
        { atMs, kind: 'cut-off', agent, how: 'refuses' },
        { atMs, kind: 'cut', agent },
        { atMs: atMs + 10, kind: 'disk-fails', agent, op: 'sync', times: 1, written: 0 },
        { atMs: powerMs, kind: 'agent-power', agent },
        { atMs: over(2600, 6000), kind: 'disk-well', agent },
        { atMs: over(2600, 6000), kind: 'reachable', agent },
        { atMs: over(2600, 6000), kind: 'agent-start', agent },
      ];
    }
    case 'agent-clock':
      return [{ atMs, kind, agent, ms: Math.round(drawStep(random)) }];
    case 'ingest-kill':
    case 'ingest-leave':
      return [
        { atMs, kind, ingest },
        { atMs: over(20, 5000), kind: 'ingest-start', ingest },
      ];
    case 'ingest-pause':
      return [
        { atMs, kind, ingest },
        { atMs: over(50, 15_000), kind: 'ingest-resume', ingest },
      ];
    case 'ingest-clock':
      return [{ atMs, kind, ingest, ms: Math.round(drawStep(random)) }];
    case 'cut-off':
      return [
        { atMs, kind, agent, how: pick(random, ['hangs', 'refuses']) },
        { atMs: over(100, 8000), kind: 'reachable', agent },
      ];
    case 'store':
      return [
        { atMs, kind, trouble: drawTrouble(random) },
        { atMs: over(200, 12_000), kind, trouble: {} },
      ];
    case 'delete-index':
      return [{ atMs, kind, draw: random() }];
    default:
      return [{ atMs, kind, agent }];
  }
};

export const drawPlan = (seed: number): Plan => {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x2545f491);
  const size = sizes[random() < largeRate ? 'large' : 'small'];
  const agents = between(random, 1, size.agents);
  const ingests = between(random, 2, size.ingests);
  const restMs = between(random, size.chaosMs[0], size.chaosMs[1]);
  const quietMs = restMs + between(random, 500, 2500);
  const steps: Step[] = [];
  const faults = between(random, 1, size.maxFaults);
  for (let at = 0; at < faults; at += 1)
    steps.push(...drawFault(random, { agents, ingests }, between(random, 300, restMs - 1), restMs));
  const ahead = (many: number): number[] =>
    Array.from({ length: many }, () => pick(random, [0, 0, between(random, -3000, 3000)]));
  const plan = {
    ...{ seed, agents, ingests, restMs, quietMs },
    queue: {
      maxBytes: pick(random, [1_000_000, 1_000_000, 1_000_000, 24_000]),
      maxAgeMs: pick(random, [259_200_000, 259_200_000, 259_200_000, 6000]),
    },
    storeBytes: pick(random, [16, 64, 300, 64_000]) * 1024,
    endMs: quietMs + drainWithinMs,
    delayMs: pick(random, [
      { min: 0.2, max: 2 },
      { min: 1, max: 20 },
      { min: 20, max: 120 },
    ]),
    wallAheadMs: { agents: ahead(agents), ingests: ahead(ingests) },
  };
  if (random() < unreadableRate)
    steps.push({ atMs: between(random, 300, restMs - 1), kind: 'unreadable', agent: Math.floor(random() * agents) });
  return { ...plan, steps: steps.sort((one, next) => one.atMs - next.atMs) };
};

export const describeStep = (step: Step): string => {
  const { atMs, kind, ...rest } = step;
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  return `${(atMs / 1000).toFixed(3).padStart(8)} s  ${kind} ${fields.join(', ')}`;
};
