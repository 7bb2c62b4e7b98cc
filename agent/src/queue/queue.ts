/**
 * The queue: everything the agent measured and has to tell, kept until ingest has said that the store has it. Records are told apart and
 * ordered by (epoch, seq) and are never changed. The queue is bounded in bytes and age; when it is full the oldest records are given up, and
 * what was given up stays known as a gap, so that a hole in the data is never a riddle. `queue.contract.ts` is what every implementation passes.
 */
import type { GapReason } from '@thrum/actors/wire/events';
import type { Dictionary } from '@thrum/actors/wire/dictionary';

export type Position = { readonly epoch: number; readonly seq: number };

/** A batch of samples, or events (`wire/events.ts`). */
export type QueuedBatch = Position & {
  readonly kind: 'batch' | 'events';
  /** Time of its samples. */
  readonly timeMs: number;
  /** Hash of the dictionary its bytes refer to; empty for events, which need none. */
  readonly dictionary: string;
  /** How many samples are in it; 0 for events. What the account counts. */
  readonly samples: number;
  /** As they are sent. Not to be written to. */
  readonly bytes: Uint8Array;
};

/** First and last sequence number, both included. */
export type SeqRange = readonly [number, number];

/** Samples that ingest refused for good, of one batch. */
export type RefusedOf = { readonly seq: number; readonly samples: number };

/**
 * Records given up: between these sequence numbers of one epoch, `batches` of them with `samples` samples, measured from `fromMs` to `toMs`.
 * Of `unclean` nobody knows how many: `lastSeq` is then below `firstSeq` and the counts are 0.
 */
export type Gap = {
  /** Unique among the gaps of this host for ever; the same after a crash. */
  readonly id: string;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly batches: number;
  readonly samples: number;
  readonly bytes: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: GapReason;
};

export type QueueSize = {
  readonly batches: number;
  readonly bytes: number;
  /** Records given up since this process began. */
  readonly dropped: number;
  /** Time of the oldest record; `undefined` when the queue is empty. */
  readonly oldestMs: number | undefined;
};

/** Samples since the queue was made. `produced` is counted by itself and is always `stored + refused + gap + queued`. */
export type Account = {
  readonly produced: number;
  readonly stored: number;
  readonly refused: number;
  readonly gap: number;
  readonly queued: number;
};

/** Why a single record is given up: it cannot be sent, or whoever it is for cannot read it. */
export type LossReason = Extract<GapReason, 'damaged' | 'unreadable'>;

/** `degraded`: the disk takes nothing; what is appended is kept in memory, bounded, until it does. `detail` is for people. */
export type Durability = { readonly state: 'durable' | 'degraded'; readonly detail: string };

export type Queue = {
  /**
   * Takes a record in; `dictionary` is that of a batch. The promise is fulfilled when the record is as safe as this queue can make it (on
   * disk, or in memory while degraded): only then may it be sent. Rejects (BUG) when it is not after every record before; never because of
   * the disk.
   */
  append(batch: QueuedBatch, dictionary: Dictionary | undefined): Promise<void>;
  /** The oldest records behind a position (from the beginning without one), in order: at least one if there is any, then up to both limits. */
  read(after: Position | undefined, limit: { maxBatches: number; maxBytes: number }): Promise<readonly QueuedBatch[]>;
  /** The dictionary of a batch that is in the queue; `undefined` when it is nowhere or damaged. Rejects when it cannot be read now. */
  dictionary(hash: string): Promise<Dictionary | undefined>;
  /**
   * Lets go of these records of an epoch; of what is not there it takes no notice. Their samples are stored, but for those of `refused`.
   * Returns how many records went.
   */
  ack(epoch: number, ranges: readonly SeqRange[], refused?: readonly RefusedOf[]): number;
  /**
   * Gives up this record: its samples become a gap. False when it is not there, or cannot be let go of now: then nothing changed.
   */
  lose(at: Position, reason: LossReason): Promise<boolean>;
  size(): QueueSize;
  account(): Account;
  durability(): Durability;
  /**
   * The oldest gap that no record tells. Whoever asked appends an event of it, and says at once in which record. From the first time it is
   * given out it does not grow any more, and it is given out again, the same under the same id, until it is told.
   */
  nextGap(): Gap | undefined;
  /**
   * This record of the queue tells a gap; `undefined`: it was not appended after all. The gap is let go of when that record is acknowledged,
   * and given out again when that record is lost.
   */
  gapIsToldIn(id: string, at: Position | undefined): void;
  /** Everything appended is safe. */
  close(): Promise<void>;
};

export const isWithin = (ranges: readonly SeqRange[], seq: number): boolean =>
  ranges.some(([from, to]) => from <= seq && seq <= to);

export const comparePositions = (a: Position, b: Position): number => a.epoch - b.epoch || a.seq - b.seq;
