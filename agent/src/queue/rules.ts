/**
 * What the queue promises, as small decisions that each can be replaced by a wrong one: the model does so and must notice every time.
 */
import type { Durability, Position, SeqRange } from './queue.ts';

/** What a reader knows of the record before the one it looks at. */
export type Before = {
  readonly epoch: number;
  readonly number: number;
  readonly seq: number;
  readonly total: number;
};

export const rules = {
  /** A record may be sent when no crash can take it away; while the disk takes nothing, the larger epoch of the next start makes it safe. */
  mayBeSent: (record: { readonly isSynced: boolean }, state: Durability['state']): boolean =>
    record.isSynced || state === 'degraded',

  /** What is written is durable only when the sync after it succeeded: until then it is kept in memory. */
  keepsUnsynced: (record: { readonly isSynced: boolean }): boolean => !record.isSynced,

  /** After a failed write or sync nothing is known of that file, and asking again may say "done" of what was dropped. */
  usesFileAfterError: (): boolean => false,

  /** The first record of a segment counts only when the segment's name is on disk too. */
  syncsNewNames: (): boolean => true,

  /** An acknowledgement is selective: it says nothing of the numbers before it. */
  whatAckLetsGo: (range: SeqRange): SeqRange => range,

  /** Which of the segments, oldest first, goes when there is no room. */
  whatIsGivenUp: (segments: number): number => (segments > 0 ? 0 : -1),

  /** Whether a segment waited too long: its newest record decides, by a clock that does not jump. */
  isTooOld: (lastAgeMs: number, nowAgeMs: number, maxAgeMs: number): boolean => nowAgeMs - lastAgeMs > maxAgeMs,

  /** How far the clock of ages moves over a stop: a wall clock that jumped must not empty the queue. */
  ageOfStop: (writtenMs: number, nowMs: number): number => Math.min(Math.max(0, nowMs - writtenMs), 24 * 3_600_000),

  /** A segment's file goes only after the checkpoints say that it is settled; with two, one of them may be damaged. */
  mayBeRemoved: (checkpointsThatSaySo: number, checkpointsThatWork: number): boolean =>
    checkpointsThatSaySo > 0 && checkpointsThatSaySo >= checkpointsThatWork,

  /** A gap that was told does not grow, so that it is the same when it is told again. */
  mayGrow: (gap: { readonly isGivenOut: boolean }): boolean => !gap.isGivenOut,

  /** A gap is told only as a checkpoint holds it: otherwise a crash would change it after it was told. */
  mayBeTold: (gap: { readonly isDurable: boolean }): boolean => gap.isDurable,

  /** A gap is let go of when the store has the event that tells it: until then that event may be given up, as any record may. */
  mayForgetGap: (record: { readonly isAcknowledged: boolean }): boolean => record.isAcknowledged,

  /** Samples between two running totals, but for those of the second record itself. */
  samplesBetween: (before: number, after: { readonly total: number; readonly samples: number }): number =>
    Math.max(0, after.total - after.samples - before),

  /** Whether what stands behind a record, or is found again after damage, is a later record of the same segment. */
  isNextRecord: (head: Before, last: Before): boolean =>
    head.epoch === last.epoch && head.number > last.number && head.seq > last.seq && head.total >= last.total,

  /** A record that the next segment begins with, or that comes after that, was written again there. */
  isWrittenAgain: (at: Position, next: Position | undefined): boolean =>
    next !== undefined && at.epoch === next.epoch && at.seq >= next.seq,

  /** Whether the process before may have lost its last moments. */
  isUnclean: (checkpoint: { readonly isClean: boolean } | undefined, segments: number): boolean =>
    checkpoint ? !checkpoint.isClean : segments > 0,
};

export type QueueRules = typeof rules;
