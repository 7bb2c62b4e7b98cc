/**
 * The state of a host, decided from facts in this one place and shown everywhere as the same word and shape.
 *
 * Age comes from the browser's monotonic clock, so a wrong wall clock never makes a host look fresh or stale. What the mesh says of the
 * connection wins over age, except that a page that hears nothing itself may not claim that anything is live.
 */
import type { Connection } from '@thrum/actors/wire/roster';

/** How old the newest values are: under 2 periods, 2 to 5, more, or there never were any. */
export type Fresh = 'live' | 'late' | 'stale' | 'none';

/** `waiting`: connected, and no sample was ever seen. `degraded`: connected and not stale, and something about it is not well. */
export type HostState =
  'live' | 'late' | 'stale' | 'degraded' | 'reconnecting' | 'silent' | 'left' | 'down' | 'waiting';

export type Shape = 'dot' | 'ring' | 'triangle' | 'octagon';

export type StateFacts = {
  readonly connection: Connection;
  /** Its ingest node knows why it is not healthy. */
  readonly degraded?: boolean;
  readonly periodMs: number;
  /** Age of the newest sample; `undefined` when there never was one. */
  readonly ageMs: number | undefined;
  /** True while this page hears nothing from its web node: then nothing can be live. */
  readonly cutOff: boolean;
  /** What the path itself may add to the age without meaning anything: overview frames are gathered for up to a second. */
  readonly graceMs?: number;
};

/** A clock that is further off is worth telling people. */
export const shownOffsetMs = 500;

const latePeriods = 2;
const stalePeriods = 5;

export const freshness = (facts: Omit<StateFacts, 'connection' | 'degraded'>): Fresh => {
  if (facts.ageMs === undefined) return 'none';
  if (facts.cutOff) return 'stale';
  const ageMs = facts.ageMs - (facts.graceMs ?? 0);
  if (ageMs < latePeriods * facts.periodMs) return 'live';
  return ageMs <= stalePeriods * facts.periodMs ? 'late' : 'stale';
};

export const stateOf = (facts: StateFacts): HostState => {
  const fresh = freshness(facts);
  if (facts.connection !== 'connected') return facts.connection;
  if (facts.degraded === true && fresh !== 'stale') return 'degraded';
  return fresh === 'none' ? 'waiting' : fresh;
};

/** Everything a reader sees of a state. `rank` puts the worst first; states of one rank are no reason to reorder a list. */
export const stateLooks: Readonly<Record<HostState, { word: string; shape: Shape; rank: number; sentence: string }>> = {
  down: { word: 'Down', shape: 'octagon', rank: 0, sentence: 'its connection is lost' },
  silent: { word: 'Silent', shape: 'triangle', rank: 1, sentence: 'connected, but nothing is heard from it' },
  stale: { word: 'Stale', shape: 'ring', rank: 2, sentence: 'its values are old' },
  reconnecting: { word: 'Reconnecting', shape: 'triangle', rank: 3, sentence: 'its connection was lost a moment ago' },
  degraded: { word: 'Degraded', shape: 'triangle', rank: 4, sentence: 'connected, but something about it is not well' },
  waiting: { word: 'Waiting', shape: 'ring', rank: 5, sentence: 'connected; its first sample has not come yet' },
  late: { word: 'Late', shape: 'triangle', rank: 6, sentence: 'its newest sample is late' },
  live: { word: 'Live', shape: 'dot', rank: 6, sentence: 'its values are current' },
  left: { word: 'Left', shape: 'ring', rank: 7, sentence: 'its agent was stopped in order' },
};

/** All states, worst first. */
export const states: readonly HostState[] = [
  'down',
  'silent',
  'stale',
  'reconnecting',
  'degraded',
  'waiting',
  'late',
  'live',
  'left',
];
