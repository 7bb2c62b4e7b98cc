/**
 * Answers questions about the past, for samples and for events: checks a question against the catalogue, chooses the buckets, asks the store, turns counters
 * into rates. A counter has one number per bucket, its average rate, whichever aggregate was asked for: the store keeps levels of
 * counters, and a least or greatest rate within a bucket is not in them.
 *
 * Bounded: so many questions at the store at once, so many waiting, the others are told `busy`. A question has one deadline from its
 * arrival, waiting included. Nothing here is ever in the way of writing.
 */
import PQueue from 'p-queue';
import type { Clock } from '@thrum/actors/system/clock';
import type { PastOutcome } from '@thrum/actors/wire/browser-to-web';
import { toWire } from '@thrum/actors/wire/dictionary';
import { eventQuestionSchema, type EventQuestion } from '@thrum/actors/wire/event-question';
import { limits } from '@thrum/actors/wire/limits';
import {
  questionSchema,
  type Aggregate,
  type Answer,
  type HistoryOutcome,
  type Question,
} from '@thrum/actors/wire/question';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Target } from '@thrum/actors/wire/schema';
import type { Store, StoreAnswer, StoreQuestion, StoreSeries } from '../store/store.ts';
import { chooseBuckets, type Buckets } from './buckets.ts';
import { ratesOf } from './rates.ts';

export type History = {
  /** Never throws: whatever comes in, an answer or a refusal goes out. One that says `ask: 'events'` is for events. */
  ask(question: unknown): Promise<PastOutcome>;
  counters(): Record<string, number>;
};

export type HistoryOptions = {
  readonly store: Pick<Store, 'ask' | 'askEvents'>;
  readonly catalogue: readonly Target[];
  readonly clock: Clock;
  /** Raising it answers wider questions on a slow store and lets people wait longer for nothing. */
  readonly deadlineMs?: number;
  readonly maxAtOnce?: number;
  readonly maxWaiting?: number;
};

/** How far before the range the value is looked for from which the first rate is counted. */
const lookBackMs = 60_000;

/**
 * Numbers in one answer, about 5 MB on its way: 100 series of 5 metrics at 1,000 points. A question for more gets fewer series and is told
 * how many are left out; raising it lets one question hold up this node, and web nodes, for longer.
 */
const maxNumbers = 500_000;

const seriesThatFit = (question: Question, buckets: Buckets): number =>
  Math.max(1, Math.min(limits.maxHistorySeries, Math.floor(maxNumbers / (buckets.count * question.metrics.length))));

type Part = { readonly metrics: readonly string[]; readonly answer: Promise<StoreAnswer>; readonly rates: boolean };

const keyOf = (series: StoreSeries): string => JSON.stringify(series.fields);

const check = (question: Question, catalogue: ReadonlyMap<string, Target>): { ok: true; target: Target } | Refusal => {
  const target = catalogue.get(question.target);
  if (!target) return refuse('unknown-target', question.target);
  const unknown = question.metrics.find((name) => !target.metrics.some((metric) => metric.name === name));
  if (unknown !== undefined) return refuse('unknown-metric', `${question.target}.${unknown}`);
  if (question.fields && question.fields.length !== target.fields.length)
    return refuse(
      'bad-question',
      `${target.name} has ${target.fields.length} fields, ${question.fields.length} were given`,
    );
  return { ok: true, target };
};

export const startHistory = (options: HistoryOptions): History => {
  const { store, clock, deadlineMs = 5_000, maxAtOnce = 4, maxWaiting = 64 } = options;
  const catalogue = new Map(options.catalogue.map((target) => [target.name, target]));
  const queue = new PQueue({ concurrency: maxAtOnce });
  const count = { asked: 0, answered: 0, refused: 0, busy: 0 };

  const partsOf = (question: Question, target: Target, buckets: Buckets, untilMs: number): Part[] => {
    const isCounter = (name: string): boolean =>
      target.metrics.some((one) => one.name === name && one.kind === 'counter');
    const ask = (metrics: readonly string[], aggregate: Aggregate, extraBuckets: number): Promise<StoreAnswer> => {
      const asked: StoreQuestion = {
        target: toWire(target),
        metrics,
        hostId: question.host,
        fromMs: buckets.startMs - extraBuckets * buckets.bucketMs,
        toMs: buckets.startMs + buckets.count * buckets.bucketMs,
        bucketMs: buckets.bucketMs,
        aggregate,
        maxSeries: seriesThatFit(question, buckets),
        ...(question.fields ? { fields: question.fields } : {}),
      };
      return store.ask(asked, { deadlineMs: untilMs - clock.monotonicMs() });
    };
    const gauges = question.metrics.filter((name) => !isCounter(name));
    const counters = question.metrics.filter(isCounter);
    const parts: Part[] = [];
    if (gauges.length > 0) parts.push({ metrics: gauges, answer: ask(gauges, question.aggregate, 0), rates: false });
    const extra = Math.ceil(lookBackMs / buckets.bucketMs);
    if (counters.length > 0) parts.push({ metrics: counters, answer: ask(counters, 'max', extra), rates: true });
    return parts;
  };

  const answer = async (question: Question, target: Target, untilMs: number): Promise<HistoryOutcome> => {
    const buckets = chooseBuckets(question.fromMs, question.toMs, question.points);
    const rows = new Map<string, { fields: readonly string[]; byMetric: Map<string, readonly (number | null)[]> }>();
    let leftOut = 0;
    for (const part of partsOf(question, target, buckets, untilMs)) {
      const given = await part.answer;
      if (!given.ok) return given;
      leftOut = Math.max(leftOut, given.leftOut);
      for (const series of given.series) {
        const row = rows.get(keyOf(series)) ?? { fields: series.fields, byMetric: new Map() };
        rows.set(keyOf(series), row);
        part.metrics.forEach((metric, k) => {
          const values = series.values[k] ?? [];
          const full = part.rates ? ratesOf(values, series.lastMs) : values;
          row.byMetric.set(metric, full.slice(full.length - buckets.count));
        });
      }
    }
    const nothing = new Array<null>(buckets.count).fill(null);
    const hasValue = (values: readonly (number | null)[]): boolean => values.some((value) => value !== null);
    const series = [...rows.values()]
      .filter((row) => [...row.byMetric.values()].some(hasValue))
      .map(({ fields, byMetric }) => ({
        fields,
        values: question.metrics.map((name) => byMetric.get(name) ?? nothing),
      }));
    const result: Answer = {
      ok: true,
      question,
      startMs: buckets.startMs,
      bucketMs: buckets.bucketMs,
      series,
      leftOut,
    };
    return result;
  };

  const settle = (outcome: PastOutcome): PastOutcome => {
    if (outcome.ok) count.answered += 1;
    else count.refused += 1;
    return outcome;
  };

  const askEvents = (question: EventQuestion, untilMs: number): Promise<PastOutcome> =>
    store.askEvents(question, { deadlineMs: untilMs - clock.monotonicMs() });

  /** What to do for a question, or why it is none. */
  const read = (input: unknown): { ok: true; run: (untilMs: number) => Promise<PastOutcome> } | Refusal => {
    const isForEvents = typeof input === 'object' && input !== null && 'ask' in input;
    const parsed = isForEvents ? eventQuestionSchema.safeParse(input) : questionSchema.safeParse(input);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return refuse('bad-question', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`.slice(0, 200));
    }
    const question = parsed.data;
    if ('ask' in question) return { ok: true, run: (untilMs) => askEvents(question, untilMs) };
    const checked = check(question, catalogue);
    return checked.ok ? { ok: true, run: (untilMs) => answer(question, checked.target, untilMs) } : checked;
  };

  const ask = async (input: unknown): Promise<PastOutcome> => {
    count.asked += 1;
    const wanted = read(input);
    if (!wanted.ok) return settle(wanted);
    if (queue.size >= maxWaiting) {
      count.busy += 1;
      return settle(refuse('busy', `${maxWaiting} questions are waiting`));
    }
    const untilMs = clock.monotonicMs() + deadlineMs;
    const run = (): Promise<PastOutcome> | PastOutcome =>
      clock.monotonicMs() >= untilMs ? refuse('deadline', 'it waited too long for its turn') : wanted.run(untilMs);
    return settle(await queue.add(run));
  };

  return {
    ask,
    counters: () => ({
      history_questions_asked: count.asked,
      history_questions_answered: count.answered,
      history_questions_refused: count.refused,
      history_questions_refused_busy: count.busy,
      history_questions_waiting: queue.size,
      history_questions_running: queue.pending,
    }),
  };
};
