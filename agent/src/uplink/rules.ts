/**
 * Every decision of this room that guarantees something about delivery, each a small pure function, gathered so that a wrong variant of one can
 * be put in its place and must be noticed. Together they say: nothing leaves that could be lost here, and nothing is let go of here that
 * the store has not taken.
 */
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import { comparePositions, type Position, type QueuedBatch, type SeqRange } from '../queue/queue.ts';
import type { Sent } from './sent.ts';

/** The first version in which ingest takes events. */
const eventsSince = 3;

export const rules = {
  /**
   * Only what the queue has called safe, which is everything up to `offered`, the newest record its owner was told about. What was sent and
   * then lost with the power would be counted as stored under a number that the next record gets.
   */
  mayBeSent: (at: Position, offered: Position): boolean => comparePositions(at, offered) <= 0,

  /** A node that does not take events never acknowledges them: they wait for one that does. */
  isUnderstood: (kind: QueuedBatch['kind'], protocol: number): boolean => kind === 'batch' || protocol >= eventsSince,

  /** An acknowledgement means the numbers it names and no others, though a later one says nothing about an earlier one. */
  isAnswered: (ack: Ack): readonly SeqRange[] => ack.ranges.filter(([from, to]) => from <= to),

  /** Of what is acknowledged only that which was sent: the rest cannot be honest. */
  mayForget: (epoch: number, ranges: readonly SeqRange[], sent: Pick<Sent, 'within'>): readonly SeqRange[] =>
    sent.within(epoch, ranges),

  /** A busy node has not stored it. */
  keepsOnBusy: (_at: Position): boolean => true,

  /** What was on the way when a connection ended may have arrived or not: it is sent again. */
  resendsAfterReconnect: (): boolean => true,

  /** Nodes take the largest attempt of an epoch for the connection that counts. */
  nextAttempt: (last: number): number => last + 1,

  /**
   * A record is given up as one that ingest can never read when it was alone on the way at the end of a connection twice, and ingest took another
   * one meanwhile: an ingest that takes nothing at all is broken itself.
   */
  isUnreadable: (of: {
    readonly onTheWay: number;
    readonly endsAlone: number;
    readonly takenMeanwhile: number;
  }): boolean => of.onTheWay === 1 && of.endsAlone >= 2 && of.takenMeanwhile > 0,

  /** A node that takes nothing of the backlog is left when patience is at its end. */
  leavesNode: (of: { readonly closedForMs: number; readonly limitMs: number }): boolean => of.closedForMs >= of.limitMs,

  /**
   * How many more records of the backlog may go out. Ingest's pace counts them alone. Of the window a quarter stays free of them, so that what is
   * new does not wait; while new ones fill the rest, one at a time still goes, so that the backlog comes to an end.
   */
  backlogRoom: (of: { window: number; pace: number; live: number; backlog: number }): number => {
    const share = Math.max(1, Math.floor((of.window * 3) / 4) - of.live);
    return Math.min(Math.min(of.pace, share) - of.backlog, of.window - of.live - of.backlog);
  },
};

export type UplinkRules = typeof rules;
