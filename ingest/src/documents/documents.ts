/**
 * The store's documents, served to the mesh: a question is parsed once, here, and answered or refused within a deadline, whatever comes in and
 * however the store is. Bounded: so many questions at the store at once, the others are told `busy`.
 */
import { documentLimits, documentsQuestionSchema, type DocumentsQuestion } from '@thrum/actors/wire/documents';
import { refuse } from '@thrum/actors/wire/refusal';
import type { DocumentStore } from '../store/documents.ts';

export type DocumentsDoor = {
  /** Never throws. */
  ask(question: unknown): Promise<unknown>;
  counters(): Record<string, number>;
};

/** People sign in by the dozen, not by the thousand; a list may hold `listBytes` while it is under way. */
const maxAtOnce = 32;

const parse = (question: unknown): { ok: true; question: DocumentsQuestion } | { ok: false; detail: string } => {
  try {
    const parsed = documentsQuestionSchema.safeParse(question);
    if (parsed.success) return { ok: true, question: parsed.data };
    const issue = parsed.error.issues[0];
    return { ok: false, detail: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`.slice(0, 200) };
  } catch {
    return { ok: false, detail: 'it is nested too deeply' };
  }
};

export const createDocumentsDoor = (documents: DocumentStore): DocumentsDoor => {
  const counts = { documentsAsked: 0, documentsBad: 0, documentsBusy: 0, documentsFailed: 0 };
  const within = { deadlineMs: documentLimits.storeDeadlineMs };
  let running = 0;

  const answer = (question: DocumentsQuestion): Promise<unknown> => {
    switch (question.kind) {
      case 'get':
        return documents.get(question.collection, question.key, within);
      case 'put':
        return documents.put(question.collection, question.key, question.value, question.ifVersion, within);
      case 'delete':
        return documents.delete(question.collection, question.key, question.ifVersion, within);
      case 'list':
        return documents.list(question.collection, within);
    }
  };

  return {
    ask: async (input) => {
      counts.documentsAsked += 1;
      const parsed = parse(input);
      if (!parsed.ok) {
        counts.documentsBad += 1;
        return refuse('bad-question', parsed.detail);
      }
      if (running >= maxAtOnce) {
        counts.documentsBusy += 1;
        return refuse('busy', `${maxAtOnce} questions for documents are under way`);
      }
      running += 1;
      try {
        return await answer(parsed.question);
      } catch (error) {
        counts.documentsFailed += 1;
        return refuse('store-away', error instanceof Error ? error.message.slice(0, 200) : '');
      } finally {
        running -= 1;
      }
    },
    counters: () => ({ ...counts }),
  };
};
