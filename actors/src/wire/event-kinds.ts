/** What is known of the events agents tell, in words and as facts. Without a schema, so that a page can load it. */

/** The kinds agents tell, with a sentence for people. */
export const eventKinds = {
  start: 'The agent started.',
  stop: 'The agent stopped in order.',
  gap: 'Samples are missing for good.',
  account: 'How delivery stands.',
} as const;
export type EventKind = keyof typeof eventKinds;

/** Why samples are missing for good, with the words a person reads. */
export const gapReasons = {
  full: 'the queue on its disk was full',
  age: 'they waited longer than the queue keeps them',
  damaged: 'a part of the queue on its disk was damaged',
  unclean: 'the agent ended before its last moments were on disk',
  disk: 'its disk took nothing and the memory beside it was full',
  unreadable: 'ingest could not read them',
} as const;
export type GapReason = keyof typeof gapReasons;

/** Facts of a `gap`: between these sequence numbers of an epoch so many samples, measured from `from_ms` to `to_ms`. */
export type GapFacts = {
  readonly reason: GapReason;
  readonly epoch: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly batches: number;
  /** 0 when nobody can know how many there were (`unclean`). */
  readonly samples: number;
  readonly from_ms: number;
  readonly to_ms: number;
};

/**
 * Facts of an `account`, and of `start` and `stop`: samples since the data directory of the agent was made.
 * `produced` = `stored` + `refused` + `gap` + `queued`, always.
 */
export type AccountFacts = {
  readonly produced: number;
  readonly stored: number;
  readonly refused: number;
  readonly gap: number;
  readonly queued: number;
};
