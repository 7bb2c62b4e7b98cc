/** A question for events of the past (`events.ts`) and its answer, newest first. Bounded like every question. */
import { z } from 'zod';
import type { AgentEvent } from './events.ts';
import { isHostId } from './host-id.ts';
import { limits } from './limits.ts';

export const eventQuestionSchema = z
  .object({
    ask: z.literal('events'),
    host: z.string().refine(isHostId, 'a lower-case UUID'),
    /** Only these kinds; all of them without it. */
    kinds: z
      .array(z.string().regex(/^[a-z][a-z-]{0,30}$/))
      .min(1)
      .max(16)
      .optional(),
    fromMs: z.number().int().min(0),
    /** Exclusive. */
    toMs: z.number().int().min(0),
    max: z.number().int().min(1).max(limits.maxEventsPerAnswer),
  })
  .refine((question) => question.fromMs < question.toMs, 'fromMs must be before toMs');
export type EventQuestion = z.infer<typeof eventQuestionSchema>;

export type EventAnswer = {
  readonly ok: true;
  /** Newest first by `timeMs`. */
  readonly events: readonly AgentEvent[];
  /** There are older ones in the range than are answered. */
  readonly more: boolean;
};
