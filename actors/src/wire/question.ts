/**
 * A question about the past and its answer: typed, bounded, the same for every store and for every reader (page, machine API).
 * Times are ms since the Unix epoch. Gauges are answered as they are; counters as rates per second that survive resets.
 */
import { z } from 'zod';
import { isHostId } from './host-id.ts';
import { limits } from './limits.ts';
import type { Refusal } from './refusal.ts';

export const aggregates = ['avg', 'min', 'max', 'last'] as const;
export type Aggregate = (typeof aggregates)[number];

export const questionSchema = z
  .object({
    target: z.string().max(64),
    metrics: z.array(z.string().max(64)).min(1).max(limits.maxHistoryMetrics),
    host: z.string().refine(isHostId, 'a lower-case UUID'),
    fromMs: z.number().int().min(0),
    toMs: z.number().int().min(0),
    /** At most this many buckets; the answer may have fewer and wider ones. */
    points: z.number().int().min(1).max(limits.maxHistoryPoints),
    aggregate: z.enum(aggregates),
    /** Only the timeseries with these field values, in the order of the target's fields; all of them without it. */
    fields: z.array(z.string().max(limits.maxFieldBytes)).max(limits.maxFieldsPerTarget).optional(),
  })
  .refine((question) => question.fromMs < question.toMs, 'fromMs must be before toMs')
  .refine((question) => question.toMs - question.fromMs <= 400 * 86_400_000, 'at most 400 days at once');
export type Question = z.infer<typeof questionSchema>;

export type AnswerSeries = {
  readonly fields: readonly string[];
  /** One list per metric asked for, in that order; one entry per bucket, `null` where there is no data. */
  readonly values: readonly (readonly (number | null)[])[];
};

export type Answer = {
  readonly ok: true;
  readonly question: Question;
  /** Start of the first bucket and width of each; the last may reach beyond `toMs`. */
  readonly startMs: number;
  readonly bucketMs: number;
  readonly series: readonly AnswerSeries[];
  /** Timeseries that exist and were not answered because there are more than allowed. */
  readonly leftOut: number;
};

export type HistoryOutcome = Answer | Refusal;
