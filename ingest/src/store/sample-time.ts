/**
 * Which sample times are believed. Ahead of the clock means that the host's clock is wrong; older than what is kept means that the
 * sample would be deleted at once (and its day created again for nothing).
 */
import { limits } from '@thrum/actors/wire/limits';

export const dayMs = 86_400_000;

export type SampleTime = 'ok' | 'time-ahead' | 'time-past';

/** Judges one sample time against the clock of this node. Exactly at a limit is `ok`. */
export const judgeSampleTime = (timeMs: number, nowMs: number, retentionDays: number): SampleTime => {
  if (timeMs > nowMs + limits.maxAheadMs) return 'time-ahead';
  return timeMs < nowMs - retentionDays * dayMs ? 'time-past' : 'ok';
};

/** The sentence part that says which time it was. */
export const sampleTimeDetail = (timeMs: number, nowMs: number): string => {
  const seconds = Math.round(Math.abs(timeMs - nowMs) / 1000);
  return `${seconds} s ${timeMs > nowMs ? 'ahead of' : 'behind'} the clock of the ingest node`;
};
