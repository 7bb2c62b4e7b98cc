/**
 * Where the samples of a host are, and how their delivery stands. Pure: from the figures its agent tells (target `agent`), what is known of
 * its connection and its store, and how fast the waiting ones have become fewer.
 *
 * An agent that does not tell them has no figures here, rather than zeros.
 */
import type { Connection } from '@thrum/actors/wire/roster';

/** Samples since the queue of the agent was made; what was measured is the sum of the four. */
export type DeliveryFigures = {
  readonly stored: number;
  readonly waiting: number;
  readonly refused: number;
  readonly missing: number;
  /** Age of the oldest that waits, when that was told. */
  readonly oldestMs: number;
  /** Its disk takes nothing. */
  readonly isInMemory: boolean;
};

/** The newest value of a metric of the target `agent`. */
export type ReadMetric = (metric: string) => number | undefined;

export const figuresOf = (read: ReadMetric): DeliveryFigures | undefined => {
  const [stored, waiting, missing] = [read('samples_stored'), read('samples_queued'), read('samples_gap')];
  if (stored === undefined || waiting === undefined || missing === undefined) return undefined;
  const refused = read('samples_refused_total') ?? 0;
  const oldestMs = (read('queue_age') ?? 0) * 1000;
  return { stored, waiting, refused, missing, oldestMs, isInMemory: read('queue_degraded') === 1 };
};

export type DeliveryFacts = {
  readonly figures: DeliveryFigures;
  readonly connection: Connection;
  readonly periodMs: number;
  /** Since when its store does not answer, if it does not. */
  readonly storeAwaySinceMs: number | undefined;
  /** By how many the waiting became fewer in a second; negative when they became more. */
  readonly drainPerSecond: number | undefined;
};

/**
 * `stopped`: its agent was stopped in order. `cut`: nothing is heard from it, so the figures are its last. `memory`: on no disk. `store-away`: kept
 * until the store answers. `catching-up`: done after `leftMs` at the rate of now. `behind`: not becoming fewer.
 */
export type Delivery =
  | { readonly kind: 'delivered' | 'stopped' | 'cut' | 'memory' }
  | { readonly kind: 'store-away'; readonly sinceMs: number }
  | { readonly kind: 'catching-up'; readonly behindMs: number; readonly leftMs: number }
  | { readonly kind: 'behind'; readonly behindMs: number };

/** A sample takes a moment to the store and back: only what is older waits. In periods for agents that seldom measure. */
const onTheWay = { ms: 10_000, periods: 4 };

export const deliveryOf = ({
  figures,
  connection,
  periodMs,
  storeAwaySinceMs,
  drainPerSecond,
}: DeliveryFacts): Delivery => {
  if (connection === 'left') return { kind: 'stopped' };
  if (connection !== 'connected') return { kind: 'cut' };
  if (figures.isInMemory) return { kind: 'memory' };
  const behindMs = figures.oldestMs;
  if (behindMs <= Math.max(onTheWay.ms, onTheWay.periods * periodMs)) return { kind: 'delivered' };
  if (storeAwaySinceMs !== undefined) return { kind: 'store-away', sinceMs: storeAwaySinceMs };
  if (drainPerSecond === undefined || drainPerSecond <= 0) return { kind: 'behind', behindMs };
  return { kind: 'catching-up', behindMs, leftMs: (figures.waiting / drainPerSecond) * 1000 };
};

/** The rate is that of the last moments: before them it may have been another. */
const drainSeen = { mostMs: 20_000, leastMs: 4_000 };

/** By how many a level fell in a second, lately; `undefined` when too little of it is known. Values that are no numbers are unknown. */
export const drainPerSecond = (timesMs: ArrayLike<number>, levels: ArrayLike<number>): number | undefined => {
  let newest: { timeMs: number; level: number } | undefined;
  let oldest = newest;
  for (let i = timesMs.length - 1; i >= 0; i -= 1) {
    const one = { timeMs: timesMs[i] ?? Number.NaN, level: levels[i] ?? Number.NaN };
    if (Number.isNaN(one.level)) continue;
    newest ??= one;
    if (newest.timeMs - one.timeMs > drainSeen.mostMs) break;
    oldest = one;
  }
  if (newest === undefined || oldest === undefined) return undefined;
  const seenMs = newest.timeMs - oldest.timeMs;
  return seenMs < drainSeen.leastMs ? undefined : ((oldest.level - newest.level) * 1000) / seenMs;
};

export const barParts = ['stored', 'waiting', 'refused', 'missing'] as const;
export type BarPart = (typeof barParts)[number];

/** However few there are among millions, they are seen. */
const leastShare = 0.012;

/**
 * Widths of the parts of the bar, of 1; the stored ones give way to what would be too narrow to be seen. What is only on its way to the store
 * is as wide as it is. Nothing measured is an empty bar.
 */
export const barOf = (figures: Pick<DeliveryFigures, BarPart>, isOnTheWay: boolean): Record<BarPart, number> => {
  const produced = barParts.reduce((sum, part) => sum + figures[part], 0);
  const shares = { stored: 0, waiting: 0, refused: 0, missing: 0 };
  if (produced <= 0) return shares;
  for (const part of barParts) {
    const least = part === 'stored' || (part === 'waiting' && isOnTheWay) ? 0 : leastShare;
    shares[part] = figures[part] > 0 ? Math.max(least, figures[part] / produced) : 0;
  }
  const sum = barParts.reduce((all, part) => all + shares[part], 0);
  for (const part of barParts) shares[part] /= sum;
  return shares;
};
