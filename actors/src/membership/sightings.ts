/**
 * What this node saw of one other, and what the others say they saw. Pure. Two clocks run for each: `heardMs` is the truth, `silentSinceMs` the
 * silence held against it, which leaves out the time in which this node did not run itself.
 */
import type { Sight } from './messages.ts';
import { pace } from './rules.ts';
import type { Word } from './rules.ts';

export type Sighting = {
  linked: boolean;
  /** Bytes of its link were read, or it proved itself over another connection. */
  heardMs: number | undefined;
  silentSinceMs: number;
  /** Since when nobody listens at its door. Undone by hearing it. */
  refusedMs: number | undefined;
  /** Since when the others are being asked about it without a break, and when last. */
  askingSinceMs: number | undefined;
  askedMs: number;
  knockedMs: number;
  /** By witness. As many as there are peers. */
  readonly reports: Map<string, Report>;
};

export type Report = { readonly word: Word; readonly atMs: number };

export const newSighting = (nowMs: number): Sighting => ({
  ...{ linked: false, heardMs: undefined, silentSinceMs: nowMs, refusedMs: undefined },
  ...{ askingSinceMs: undefined, askedMs: -Infinity, knockedMs: -Infinity, reports: new Map<string, Report>() },
});

export const hear = (sighting: Sighting, atMs: number): void => {
  if (sighting.heardMs === undefined || atMs > sighting.heardMs) sighting.heardMs = atMs;
  if (atMs > sighting.silentSinceMs) sighting.silentSinceMs = atMs;
  if (sighting.refusedMs !== undefined && atMs > sighting.refusedMs) sighting.refusedMs = undefined;
};

/** This node did not run for a while. */
export const excuse = (sighting: Sighting, lateMs: number, nowMs: number): void => {
  const excusedMs = sighting.silentSinceMs + lateMs;
  sighting.silentSinceMs = lateMs >= pace.forgetMs ? nowMs : Math.min(nowMs, excusedMs);
};

export const ownWord = (sighting: Sighting, doubts: boolean, nowMs: number): Word => ({
  heardForMs: sighting.heardMs === undefined ? undefined : Math.max(0, nowMs - sighting.heardMs),
  // A link is worth nothing once its peer's door is found shut, until something comes over it again.
  linked: sighting.linked && sighting.refusedMs === undefined,
  refused: sighting.refusedMs !== undefined,
  doubts,
});

export const toSight = (id: string, incarnation: number, word: Word): Sight => ({
  ...{ id, incarnation, linked: word.linked, refused: word.refused },
  heardAgoMs: word.heardForMs === undefined ? null : Math.round(word.heardForMs),
});

export const toWord = (sight: Sight, doubts: boolean): Word => ({
  ...{ linked: sight.linked, refused: sight.refused, doubts },
  heardForMs: sight.heardAgoMs ?? undefined,
});

/** A witness's word as it is by now; undefined when it is too old to count. */
export const wordNow = (report: Report | undefined, nowMs: number): Word | undefined => {
  if (!report || nowMs - report.atMs > pace.reportMs) return undefined;
  const { heardForMs } = report.word;
  return { ...report.word, heardForMs: heardForMs === undefined ? undefined : heardForMs + nowMs - report.atMs };
};
