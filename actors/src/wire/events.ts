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
  /** What a reader does not know it keeps and shows by its name. Known ones: `event-kinds.ts`. */
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

/** The words and facts of the kinds that are known stand apart, where a page can load them. */
export {
  eventKinds,
  gapReasons,
  type AccountFacts,
  type EventKind,
  type GapFacts,
  type GapReason,
} from './event-kinds.ts';
