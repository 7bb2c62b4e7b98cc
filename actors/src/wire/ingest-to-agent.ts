/** What an ingest node says to an agent. The agent parses each message once; a node is trusted no more than its answers make sense. */
import { z } from 'zod';
import { refusals, type Refusal, type RefusalCode } from './refusal.ts';

const count = z.number().int().min(0);
const code = z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]);

export const refusalSchema = z.object({ ok: z.literal(false), code, detail: z.string().max(2000) });

export const welcomeSchema = z.object({
  ok: z.literal(true),
  protocol: z.number().int(),
  /** Name of the node that answered, for logs and the page. */
  node: z.string().max(200),
  /** How many batches may be on the way without an acknowledgement. */
  window: z.number().int().min(1).max(1024),
  /** How many of them may be from the backlog (what is not for the live view), until a `pace` says otherwise. Absent before version 3. */
  backlog: z.number().int().min(0).max(1024).optional(),
  /** The node does not know the dictionary of the hello: declare it before the first batch. */
  needDictionary: z.boolean(),
  /** The node's clock, ms since the Unix epoch. */
  serverMs: z.number(),
});
export type Welcome = z.infer<typeof welcomeSchema>;

/** Batches whose every sample is stored or refused: first and last sequence number of each range, both included. */
export const ackSchema = z.object({
  epoch: count,
  ranges: z.array(z.tuple([count, count])).max(4096),
  /** Samples that were refused: how many of a batch and why. Everything else of the batch is stored. */
  refused: z.array(z.object({ seq: count, code, samples: count, detail: z.string().max(2000) })).max(4096),
});
export type Ack = z.infer<typeof ackSchema>;

/** The batch was shown live but there is no room to store it now: keep it and send it again after this time. */
export const busySchema = z.object({ epoch: count, seq: count, afterMs: z.number().min(0).max(600_000) });
export type Busy = z.infer<typeof busySchema>;

/** So many batches from the backlog may be on the way from now on; 0: none until the next `pace`. Those on the way stay. */
export const paceSchema = z.object({ backlog: z.number().int().min(0).max(1024) });
export type Pace = z.infer<typeof paceSchema>;

/** Asks for the batches of the last minutes at full detail, newest window first in time order. */
export const recentRequestSchema = z.object({ sinceMs: z.number() });
export type RecentRequest = z.infer<typeof recentRequestSchema>;

/**
 * The answer: groups of batches, oldest first. A group is either the concatenation of `u32 length, batch bytes` (encoding `plain`)
 * or the same compressed with Zstandard (`zstd`). All batches refer to `dictionary`.
 */
export const recentAnswerSchema = z.object({
  dictionary: z.string().regex(/^[0-9a-f]{16}$/),
  groups: z.array(z.object({ encoding: z.enum(['plain', 'zstd']), bytes: z.instanceof(Uint8Array) })).max(2048),
});
export type RecentAnswer = z.infer<typeof recentAnswerSchema>;

export type IngestToAgent = {
  ack: (ack: Ack) => void;
  busy: (busy: Busy) => void;
  /** To agents of version 3 and later. */
  pace: (pace: Pace) => void;
  /** Why the connection is about to be closed. */
  refused: (refusal: Refusal) => void;
  recent: (request: RecentRequest, reply: (answer: unknown) => void) => void;
};
