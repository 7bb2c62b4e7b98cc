/**
 * What happened on a host, beside what was measured there: a start, a stop, samples that are missing for good, how delivery stands. Events
 * lie in the agent's queue between the batches, under sequence numbers of the same row, and are acknowledged like them.
 *
 * An event has an id of its own, unique for ever among the events of its host: one that is told twice is kept once.
 */
import { z } from 'zod';
import { limits } from './limits.ts';

const fact = z.union([z.string().max(limits.maxLabelChars), z.number(), z.boolean()]);

export const agentEventSchema = z.object({
  /** What a reader does not know it keeps and shows by its name. Known ones: `eventKinds`. */
  kind: z.string().regex(/^[a-z][a-z-]{0,30}$/),
  id: z.string().regex(/^[0-9A-Za-z._-]{1,80}$/),
  /** When it happened, by the sample clock of the agent, ms since the Unix epoch. */
  timeMs: z.number().int().min(0),
  facts: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,30}$/), fact)
    .refine((facts) => Object.keys(facts).length <= limits.maxEventFacts, `at most ${limits.maxEventFacts} facts`),
});
export type AgentEvent = z.infer<typeof agentEventSchema>;

/** One record of the queue, one message, one acknowledgement. On the wire and on disk: this as JSON in UTF-8. */
export const eventsSchema = z.object({
  epoch: z.number().int().min(0).max(0xffff_ffff),
  seq: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  events: z.array(agentEventSchema).min(1).max(limits.maxEventsPerMessage),
});
export type Events = z.infer<typeof eventsSchema>;

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
