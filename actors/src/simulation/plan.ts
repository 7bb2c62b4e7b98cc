/**
 * What happens to a mesh, drawn from a seed before anything runs: how many nodes, on what network, which faults when, what its users do when.
 * Plain data, so that it can be printed, and so that leaving steps out leaves the others as they are.
 */
import { seededRandom } from '../testing/random.ts';

export type Fault =
  | { kind: 'kill'; node: number }
  | { kind: 'vanish'; node: number }
  | { kind: 'leave'; node: number }
  | { kind: 'start'; node: number; disk: 'kept' | 'lost' }
  | { kind: 'pause'; node: number }
  | { kind: 'resume'; node: number }
  | { kind: 'split'; some: readonly number[]; others: readonly number[] }
  | { kind: 'cut'; from: number; to: number }
  | { kind: 'refuse'; node: number; some: readonly number[] }
  | { kind: 'heal' }
  | { kind: 'loss'; rate: number }
  | { kind: 'step-wall'; node: number; ms: number };

/** `work`: something a user of the mesh does at a node, as the guarantee named so decides from `draw`. */
export type Step = { readonly atMs: number } & (Fault | { kind: 'work'; of: string; node: number; draw: number });

export type Plan = {
  readonly seed: number;
  readonly nodes: number;
  readonly delayMs: { readonly min: number; readonly max: number };
  /** Of messages to rooms that must bear it: repeated, or late and so out of order. */
  readonly unrulyRate: number;
  /** What a link holds for a slow peer before it drops what may be dropped; undefined: as much as in production. */
  readonly maxOutboxBytes: number | undefined;
  readonly wallAheadMs: readonly number[];
  /** All know all as seeds, or only the first. */
  readonly seeds: 'first' | 'all';
  readonly steps: readonly Step[];
  /** Faults are over from here on; of the nodes that are down these are started again. */
  readonly restMs: number;
  readonly revived: readonly number[];
  /** From here on nobody gives the mesh anything to do. */
  readonly quietMs: number;
  /** One last death or leave on a mesh at rest, to be seen in time. */
  readonly lastMs: number;
  readonly last: { readonly kind: 'kill' | 'vanish' | 'leave'; readonly node: number };
  readonly endMs: number;
};

type Random = () => number;

/** Before the first fault. */
export const bootMs = 3000;
/** Most plans are small, so that there can be many; what needs more nodes or more faults at once is found by the large ones. */
const sizes = {
  small: { minNodes: 3, maxNodes: 3, chaosMs: [2000, 7000], maxFaults: 4, restForMs: 16_000 },
  large: { minNodes: 3, maxNodes: 5, chaosMs: [4000, 14_000], maxFaults: 6, restForMs: 20_000 },
} as const;
const largeRate = 0.2;
const lastForMs = 7000;

const pick = <T>(random: Random, from: readonly [T, ...(readonly T[])]): T =>
  from[Math.floor(random() * from.length)] ?? from[0];
const between = (random: Random, min: number, max: number): number => Math.round(min + random() * (max - min));

/** As often as they are drawn. */
const kinds = [
  'split',
  'split',
  'cut',
  'cut',
  'refuse',
  'kill',
  'kill',
  'vanish',
  'pause',
  'pause',
  'loss',
  'leave',
  'step-wall',
] as const;

/** One fault and its end. */
const drawFault = (random: Random, nodes: number, atMs: number, restMs: number): Step[] => {
  const node = Math.floor(random() * nodes);
  const other = (node + 1 + Math.floor(random() * (nodes - 1))) % nodes;
  const overMs = (min: number, max: number): number => Math.min(restMs, atMs + between(random, min, max));
  const kind = pick(random, kinds);
  switch (kind) {
    case 'split': {
      const sides = Array.from({ length: nodes }, (_, index) => ({ index, side: random() < 0.5 }));
      const some = sides.filter(({ index, side }) => (index === node ? true : index === other ? false : side));
      const others = sides.filter((one) => !some.includes(one));
      return [
        { atMs, kind, some: some.map(({ index }) => index), others: others.map(({ index }) => index) },
        { atMs: overMs(200, 9000), kind: 'heal' },
      ];
    }
    case 'cut':
      return [
        { atMs, kind, from: node, to: other },
        { atMs: overMs(200, 9000), kind: 'heal' },
      ];
    case 'refuse':
      return [
        { atMs, kind, node, some: [...new Set([other, (other + 1) % nodes])].filter((one) => one !== node) },
        { atMs: overMs(200, 9000), kind: 'heal' },
      ];
    case 'loss':
      return [
        { atMs, kind, rate: pick(random, [0.1, 0.2, 0.4, 0.6]) },
        { atMs: overMs(1000, 6000), kind, rate: 0 },
      ];
    case 'pause':
      return [
        { atMs, kind, node },
        { atMs: overMs(100, 9000), kind: 'resume', node },
      ];
    case 'step-wall':
      return [{ atMs, kind, node, ms: between(random, -5000, 5000) }];
    default: {
      const down: Step = { atMs, kind, node };
      if (random() < 0.25) return [down];
      return [down, { atMs: overMs(50, 9000), kind: 'start', node, disk: random() < 0.8 ? 'kept' : 'lost' }];
    }
  }
};

/** `works` are the names of the guarantees that give the mesh something to do. */
export const drawPlan = (seed: number, works: readonly string[]): Plan => {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  const size = sizes[random() < largeRate ? 'large' : 'small'];
  const [minChaosMs, maxChaosMs] = size.chaosMs;
  const nodes = between(random, size.minNodes, size.maxNodes);
  const restMs = bootMs + between(random, minChaosMs, maxChaosMs);
  const quietMs = restMs + 3000;
  const lastMs = restMs + size.restForMs;
  const steps: Step[] = [];
  for (let node = 0; node < nodes; node += 1)
    steps.push({ atMs: between(random, 0, 500), kind: 'start', node, disk: 'kept' });
  const faults = between(random, 1, size.maxFaults);
  for (let at = 0; at < faults; at += 1)
    steps.push(...drawFault(random, nodes, between(random, bootMs, restMs - 1), restMs));
  // Little of it goes on at rest, so that what a fault left behind is not covered up by news.
  for (let atMs = 1000; atMs < quietMs; atMs += between(random, 20, 250))
    for (const of of works)
      if (random() < 0.5)
        steps.push({
          atMs,
          kind: 'work',
          of,
          node: Math.floor(random() * nodes),
          draw: Math.floor(random() * 2 ** 31),
        });
  const delayMs = pick(random, [
    { min: 0.2, max: 2 },
    { min: 0.2, max: 2 },
    { min: 1, max: 20 },
    { min: 20, max: 80 },
  ]);
  return {
    ...{ seed, nodes, restMs, quietMs, lastMs, delayMs },
    revived: Array.from({ length: nodes }, (_, node) => node).filter(() => random() < 0.7),
    unrulyRate: pick(random, [0, 0.05, 0.3]),
    maxOutboxBytes: random() < 0.3 ? 32 * 1024 : undefined,
    wallAheadMs: Array.from({ length: nodes }, () => pick(random, [0, 0, between(random, -3000, 3000)])),
    seeds: random() < 0.5 ? 'first' : 'all',
    steps: steps.sort((one, next) => one.atMs - next.atMs),
    last: { kind: pick(random, ['kill', 'vanish', 'leave']), node: Math.floor(random() * nodes) },
    endMs: lastMs + lastForMs,
  };
};

export const describeStep = (step: Step): string => {
  const { atMs, kind, ...rest } = step;
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.join('+') : value}`,
  );
  return `${(atMs / 1000).toFixed(3).padStart(8)} s  ${kind} ${fields.join(', ')}`;
};
