/**
 * The decisions on which "nothing is lost, nothing is stored twice" stands, as far as the Elasticsearch store makes them: each a small pure
 * function, so that a test can put a wrong one in its place and see that somebody notices.
 */
import type { Origin } from './store.ts';

/** A sample, a sample that is refused, or something that happened on a host. */
export type DocumentKind = 'sample' | 'letter' | 'event';

/** What the stored document turned out to be: `unknown` when it could not be read now. */
export type Found = 'same' | 'other' | 'unknown';

export const rules = {
  /**
   * A document of this name is there already. A sample's name is made of series and time: it may be our own, stored by an attempt that nobody
   * heard of, or another one (after a step of the clock), so the stored one is read. Names of dead letters and events are unique for ever.
   */
  meaningOf409: (kind: DocumentKind): 'stored' | 'refused' | 'compare' => (kind === 'sample' ? 'compare' : 'stored'),
  meaningOfComparison: (found: Found): 'stored' | 'refused' | 'again' =>
    found === 'same' ? 'stored' : found === 'other' ? 'refused' : 'again',
  /** Whether a document is at its end; otherwise it is sent again, for ever. */
  isTerminal: (verdict: 'stored' | 'refused' | 'again'): boolean => verdict !== 'again',
  /** Of a bulk of which some were not taken, what is sent again. */
  retriesOnlyFailed: <T>(failed: readonly T[], _all: readonly T[]): readonly T[] => failed,
  /** Whether a document is at its end as soon as it was sent, before any answer. */
  isTerminalBeforeAnswer: (): boolean => false,
  /** Whether an answer with so many results is one for that many documents; otherwise nobody knows what happened. */
  isAnswerFor: (results: number, documents: number): boolean => results === documents,
  /** Whether a sample that is refused is kept as a dead letter before it is at its end. */
  keepsRefused: (): boolean => true,
  /** The server makes the name of a sample of its dimensions and time; `undefined` leaves it to that. */
  idOfSample: (_origin: Origin, _i: number): string | undefined => undefined,
  idOfLetter: ({ hostId, epoch, seq }: Origin, i: number): string => `${hostId}:${epoch}:${seq}:${i}`,
  idOfEvent: ({ hostId }: Origin, eventId: string): string => `${hostId}:${eventId}`,
  /** By which time a sample finds its index: its own, so that it finds the same one whenever it comes again. */
  timeOfIndex: (sampleMs: number, _nowMs: number): number => sampleMs,
} as const;

export type StoreRules = { readonly [Name in keyof typeof rules]: (typeof rules)[Name] };
