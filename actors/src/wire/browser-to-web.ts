/** What a browser says to a web node over its one socket: parsed once, by the gateway. */
import { z } from 'zod';
import type { EventAnswer, EventQuestion } from './event-question.ts';
import { isHostId } from './host-id.ts';
import type { HistoryOutcome, Question } from './question.ts';
import type { Refusal } from './refusal.ts';

/** What a tab looks at: the overview of all hosts always comes; one host at full detail when it says so. */
export const watchSchema = z.object({
  host: z.string().refine(isHostId, 'a lower-case UUID').nullable(),
});
export type Watch = z.infer<typeof watchSchema>;

/** Answered by the store, through a web node and an ingest node. */
export type PastQuestion = Question | EventQuestion;
export type PastOutcome = HistoryOutcome | EventAnswer;

export type BrowserToWeb = {
  /** Look at one host (the one before is let go), or at none. Its snapshot follows as a frame, then its frames. */
  watch: (watch: Watch, reply: (answer: { ok: true } | Refusal) => void) => void;
  ask: (question: PastQuestion, reply: (answer: PastOutcome) => void) => void;
};
