/**
 * Questions about the past, for values and for events. A question was parsed once by the gateway's side of a tab; here it goes to one of
 * the linked ingest nodes in turn, within one deadline however many are tried. The same question asked again within seconds (ten tabs on
 * one wall, a reload) is answered from the cache, and while it is under way everybody waits for the same answer.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { PastOutcome, PastQuestion } from '@thrum/actors/wire/browser-to-web';
import { agentEventSchema } from '@thrum/actors/wire/events';
import { limits } from '@thrum/actors/wire/limits';
import type { Answer } from '@thrum/actors/wire/question';
import { asRefusal, refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Counters } from './counters.ts';

export const historyLimits = {
  deadlineMs: 10_000,
  /** A node that does not take the question leaves time for another. */
  keepMs: 3_000,
  /** Answers kept or under way; the oldest kept ones go first. With all under way further questions are refused as busy. */
  maxQuestions: 128,
  /** Numbers in the answers kept, all together: about 16 bytes each in memory. */
  maxNumbers: 2_000_000,
} as const;

/** What an event, and each of its facts, counts for at most among the numbers kept. */
const numbersPerFact = 16;

export type NodeOutcome =
  { ok: true; value: unknown } | { ok: false; reason: 'no-link' | 'full' | 'deadline' | 'failed'; detail: string };

export type HistoryParts = {
  clock: Clock;
  counters: Counters;
  ingestNodes(): readonly string[];
  ask(node: string, question: PastQuestion, deadlineMs: number): Promise<NodeOutcome>;
};

type Entry = { outcome: Promise<PastOutcome>; doneMs: number | undefined; numbers: number };

export type HistoryAsk = { ask(question: PastQuestion): Promise<PastOutcome> };

/**
 * Ingest nodes are our own, so their word is believed once it has the form of an answer. Events are what agents once said, out of a store
 * that others can write to: each is looked at, and left out when it is none.
 */
const asOutcome = (question: PastQuestion, value: unknown): PastOutcome => {
  if (typeof value === 'object' && value !== null && 'ok' in value && value.ok === true) {
    if ('ask' in question && 'events' in value && Array.isArray(value.events)) {
      const events = value.events.slice(0, limits.maxEventsPerAnswer).flatMap((one) => {
        const parsed = agentEventSchema.safeParse(one);
        return parsed.success ? [parsed.data] : [];
      });
      return { ok: true, events, more: 'more' in value && value.more === true };
    }
    if (!('ask' in question) && 'series' in value) return value as Answer;
  }
  return asRefusal(value) ?? refuse('store-away', 'the ingest node answered something that is no answer');
};

const numbersIn = (outcome: PastOutcome): number => {
  if (!outcome.ok) return 1;
  if ('events' in outcome)
    return outcome.events.reduce((sum, { facts }) => sum + numbersPerFact * (1 + Object.keys(facts).length), 0);
  return outcome.series.reduce((sum, one) => sum + one.values.reduce((more, list) => more + list.length, 0), 0);
};

export const createHistoryAsk = (parts: HistoryParts): HistoryAsk => {
  const { clock, counters } = parts;
  const entries = new Map<string, Entry>();
  let turn = 0;
  let numbers = 0;

  const drop = (key: string, entry: Entry): void => {
    if (entries.get(key) !== entry) return;
    entries.delete(key);
    numbers -= entry.numbers;
  };

  /** Takes out what is too old and, while there is not enough room, what is done. */
  const makeRoom = (): boolean => {
    const nowMs = clock.monotonicMs();
    for (const [key, entry] of entries) {
      if (entry.doneMs === undefined) continue;
      const full = entries.size >= historyLimits.maxQuestions || numbers > historyLimits.maxNumbers;
      if (full || nowMs - entry.doneMs >= historyLimits.keepMs) drop(key, entry);
    }
    return entries.size < historyLimits.maxQuestions;
  };

  const askNodes = async (question: PastQuestion): Promise<PastOutcome> => {
    const nodes = parts.ingestNodes();
    if (nodes.length === 0) return refuse('no-ingest');
    const untilMs = clock.monotonicMs() + historyLimits.deadlineMs;
    const first = turn++;
    let refusal: Refusal = refuse('no-ingest');
    for (let i = 0; i < nodes.length; i += 1) {
      const leftMs = untilMs - clock.monotonicMs();
      const node = nodes[(first + i) % nodes.length];
      if (node === undefined || leftMs <= 0) break;
      const answer = await parts.ask(node, question, leftMs);
      if (answer.ok) return asOutcome(question, answer.value);
      counters.add('web_questions_failed');
      if (answer.reason === 'deadline') return refuse('deadline');
      refusal =
        answer.reason === 'full'
          ? refuse('busy', 'the way to the ingest node is full')
          : answer.reason === 'failed'
            ? refuse('store-away', 'the ingest node failed to answer')
            : refuse('no-ingest');
    }
    return clock.monotonicMs() >= untilMs ? refuse('deadline') : refusal;
  };

  return {
    ask: (question) => {
      const key = JSON.stringify(question);
      const known = entries.get(key);
      if (known && (known.doneMs === undefined || clock.monotonicMs() - known.doneMs < historyLimits.keepMs)) {
        counters.add('web_questions_shared');
        return known.outcome;
      }
      if (known) drop(key, known);
      if (!makeRoom()) {
        counters.add('web_questions_refused');
        return Promise.resolve(refuse('busy', 'too many questions at once on this node'));
      }
      counters.add('web_questions_asked');
      const outcome = askNodes(question).catch((error: unknown) => refuse('store-away', String(error)));
      const entry: Entry = { outcome, doneMs: undefined, numbers: 0 };
      entries.set(key, entry);
      void outcome.then((answer) => {
        // A refusal may be mended the next moment: only answers are kept.
        if (!answer.ok) return drop(key, entry);
        entry.doneMs = clock.monotonicMs();
        entry.numbers = numbersIn(answer);
        numbers += entry.numbers;
      });
      return outcome;
    },
  };
};
