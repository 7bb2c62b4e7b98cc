/**
 * Finds the one record that ingest answers by closing the connection, which would keep back everything behind it. Pure.
 *
 * When connections in a row end with a refusal of what was on the way, records go one at a time until those that were on the way then are
 * acknowledged. One that was alone at such an end again and again is passed over until ingest has taken another one. A record is given up only when it was alone on the way at such an end twice, and ingest took another one meanwhile: an ingest
 * that takes nothing at all is broken itself, and nothing is given up for it.
 */
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import { rules as allRules, type UplinkRules } from './rules.ts';
import { comparePositions, isWithin, type Position, type SeqRange } from '../queue/queue.ts';

/** Refusals of what a message says, and not of who sends it or when. */
export const blaming: readonly RefusalCode[] = ['malformed', 'too-large', 'schema-conflict'];
const probeAfterEnds = 2;
/** Of more on the way the oldest are left out: only whether it is one matters, and those that are suspected are sent again from the oldest on. */
const maxOnTheWay = 256;
/** So many are taken and no refusal came: what is suspected is in the queue no more. */
const calmAfterTaken = 200;

export type Poison = {
  /** Sent on this connection and neither acknowledged nor called busy, or about to be. */
  readonly onTheWay: readonly Position[];
  /** One of them ends connections; empty as long as all is well. */
  readonly suspects: readonly Position[];
  /** Connections in a row that ended so, with a suspect on the way. */
  readonly ends: number;
  /** The suspect that was alone on the way at such an end, and how often. */
  readonly alone: { readonly at: Position; readonly ends: number } | undefined;
  /** Others that ingest took since the suspicion began, and since the last such end. */
  readonly taken: number;
  readonly takenSinceEnd: number;
};

export type PoisonEvent =
  | { readonly type: 'sent'; readonly at: Position }
  | { readonly type: 'acknowledged'; readonly epoch: number; readonly ranges: readonly SeqRange[] }
  /** It was understood, though not stored yet. */
  | { readonly type: 'busy'; readonly at: Position }
  | { readonly type: 'refused'; readonly code: RefusalCode }
  /** The connection is over, for whatever reason. */
  | { readonly type: 'closed' };

export type PoisonStep = { readonly state: Poison; readonly giveUp?: Position };

export const noPoison: Poison = {
  ...{ onTheWay: [], suspects: [], ends: 0, alone: undefined, taken: 0, takenSinceEnd: 0 },
};

/** Records go one at a time. */
export const isProbing = ({ suspects, ends }: Poison): boolean => suspects.length > 0 && ends >= probeAfterEnds;

const passOverAfterEnds = 2;
/** The suspect that others go before, so that ingest can show whether it takes anything. */
export const passedOver = ({ alone, taken }: Poison): Position | undefined =>
  alone && alone.ends >= passOverAfterEnds && taken === 0 ? alone.at : undefined;

const isSame = (a: Position, b: Position): boolean => comparePositions(a, b) === 0;
const has = (list: readonly Position[], at: Position): boolean => list.some((one) => isSame(one, at));
const without = (list: readonly Position[], epoch: number, ranges: readonly SeqRange[]): Position[] =>
  list.filter((one) => one.epoch !== epoch || !isWithin(ranges, one.seq));

const acknowledged = (state: Poison, epoch: number, ranges: readonly SeqRange[]): Poison => {
  const onTheWay = without(state.onTheWay, epoch, ranges);
  const count = state.onTheWay.length - onTheWay.length;
  if (state.suspects.length === 0) return { ...state, onTheWay };
  const suspects = without(state.suspects, epoch, ranges);
  const takenSinceEnd = state.takenSinceEnd + count;
  if (suspects.length === 0 || takenSinceEnd >= calmAfterTaken) return { ...noPoison, onTheWay };
  const alone = state.alone && has(suspects, state.alone.at) ? state.alone : undefined;
  return { ...state, onTheWay, suspects, alone, taken: state.taken + count, takenSinceEnd };
};

const refused = (state: Poison, rules: Pick<UplinkRules, 'isUnreadable'>): PoisonStep => {
  const { onTheWay } = state;
  const [only] = onTheWay;
  if (!only) return { state };
  const again = onTheWay.filter((at) => has(state.suspects, at));
  const isAgain = again.length > 0;
  const before = state.alone && isSame(state.alone.at, only) ? state.alone.ends : 0;
  const alone = onTheWay.length === 1 ? { at: only, ends: before + 1 } : state.alone;
  const next: Poison = {
    ...{ onTheWay, alone, takenSinceEnd: 0 },
    suspects: isAgain ? again : onTheWay,
    ends: isAgain ? state.ends + 1 : 1,
    taken: isAgain ? state.taken : 0,
  };
  const endsAlone = alone && isSame(alone.at, only) ? alone.ends : 0;
  if (!rules.isUnreadable({ onTheWay: onTheWay.length, endsAlone, takenMeanwhile: next.taken })) return { state: next };
  return { state: { ...noPoison, onTheWay }, giveUp: only };
};

/** `giveUp`: ingest will never take this record. */
export const watch = (
  state: Poison,
  event: PoisonEvent,
  rules: Pick<UplinkRules, 'isUnreadable'> = allRules,
): PoisonStep => {
  switch (event.type) {
    case 'sent':
      if (has(state.onTheWay, event.at)) return { state };
      const { epoch, seq } = event.at; // without its bytes
      return { state: { ...state, onTheWay: [...state.onTheWay, { epoch, seq }].slice(-maxOnTheWay) } };
    case 'acknowledged':
      return { state: acknowledged(state, event.epoch, event.ranges) };
    case 'busy':
      return { state: { ...state, onTheWay: state.onTheWay.filter((at) => !isSame(at, event.at)) } };
    case 'refused':
      return blaming.includes(event.code) ? refused(state, rules) : { state };
    case 'closed':
      return { state: { ...state, onTheWay: [] } };
  }
};
