/**
 * The queue: every batch the agent measured, kept until ingest has said that the store has it. Batches are told apart and ordered by
 * (epoch, seq) and are never changed. The queue is bounded in bytes; when it is full the oldest batches are given up, and what was given
 * up stays known as a gap, so that a hole in the data is never a riddle. `queue.contract.ts` is what every implementation passes.
 */
import type { Dictionary } from '@thrum/actors/wire/dictionary';

export type Position = { readonly epoch: number; readonly seq: number };

export type QueuedBatch = Position & {
  /** Time of its samples. */
  readonly timeMs: number;
  /** Hash of the dictionary its bytes refer to. */
  readonly dictionary: string;
  /** As they are sent. Not to be written to. */
  readonly bytes: Uint8Array;
};

/** First and last sequence number, both included. */
export type SeqRange = readonly [number, number];

/** Batches given up: between these sequence numbers of one epoch, `batches` of them, measured from `fromMs` to `toMs`. */
export type Gap = {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly batches: number;
  readonly bytes: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: 'full';
};

export type QueueSize = {
  readonly batches: number;
  readonly bytes: number;
  /** Batches given up since this process began. */
  readonly dropped: number;
};

export type Queue = {
  /**
   * Takes a batch in. The promise is fulfilled when the batch is as safe as this queue can make it: only then may it be sent, so that
   * a crash never leaves ingest with a name that is given to other samples later. Throws (BUG) when it is not after every batch before.
   */
  append(batch: QueuedBatch, dictionary: Dictionary): Promise<void>;
  /** The oldest batches behind a position (from the beginning without one), in order: at least one if there is any, then up to both limits. */
  read(after: Position | undefined, limit: { maxBatches: number; maxBytes: number }): Promise<readonly QueuedBatch[]>;
  /** The dictionary of a batch that is in the queue. */
  dictionary(hash: string): Promise<Dictionary | undefined>;
  /** Lets go of these batches of an epoch; of what is not there it takes no notice. Returns how many went. */
  ack(epoch: number, ranges: readonly SeqRange[]): number;
  size(): QueueSize;
  /** What was given up, oldest first, until somebody took it over. Neighbors are one gap. */
  gaps(): readonly Gap[];
  /** Somebody else keeps this gap from now on. */
  forgetGap(gap: Gap): void;
  /** Everything appended is safe. */
  close(): Promise<void>;
};

export const comparePositions = (a: Position, b: Position): number => a.epoch - b.epoch || a.seq - b.seq;
