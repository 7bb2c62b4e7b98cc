/**
 * The time of the samples of a tick: whole milliseconds, on the period of the wall clock, and strictly increasing whatever that clock does,
 * because the store takes a second sample of one series and time for a repetition and drops it.
 *
 * The clock steps back a little: ticks are left out until it has caught up. By more: samples go on from the last one a tenth slower than
 * real time until the clock has caught up (rates stay right within a tenth; stepping by 1 ms would make them a thousand times too large).
 * The last sample lies further ahead than ingest takes (a wrong clock was set right): nothing from then was stored, so once ingest
 * has told its clock the samples begin at the right time again. A clock more than five minutes off ingest's is corrected by it.
 */
import { limits } from '@thrum/actors/wire/limits';

/** The wall clock and the steady one may differ by so much between two ticks; more is a step. */
const stepMs = 1000;
const leaveOutMs = 2000;
const slower = 0.9;

export type SampleTime = {
  readonly lastMs: number | undefined;
  /** Ingest's clock less ours; unknown before the first hello and after a step. */
  readonly serverOffsetMs: number | undefined;
  readonly before: { readonly wallMs: number; readonly monotonicMs: number } | undefined;
};

export const beginSampleTime = (lastMs: number | undefined): SampleTime => ({
  lastMs,
  serverOffsetMs: undefined,
  before: undefined,
});

export const hearServerClock = (state: SampleTime, offsetMs: number): SampleTime => ({
  ...state,
  serverOffsetMs: offsetMs,
});

/** What time it is: by this host's clock, or by ingest's when the two are more than five minutes apart. */
export const rightTimeMs = ({ serverOffsetMs }: Pick<SampleTime, 'serverOffsetMs'>, wallMs: number): number =>
  serverOffsetMs !== undefined && Math.abs(serverOffsetMs) > limits.maxAheadMs ? wallMs + serverOffsetMs : wallMs;

export type SampleTimeStep = {
  readonly state: SampleTime;
  /** `undefined`: leave this tick out. */
  readonly timeMs: number | undefined;
  /** The wall clock jumped since the last tick: what ingest said about it is void, ask it again. */
  readonly hasStepped: boolean;
};

export const nextSampleTime = (
  state: SampleTime,
  now: { readonly wallMs: number; readonly monotonicMs: number; readonly periodMs: number },
): SampleTimeStep => {
  const { wallMs, monotonicMs, periodMs } = now;
  const { before, lastMs } = state;
  const drift = before ? wallMs - before.wallMs - (monotonicMs - before.monotonicMs) : 0;
  const hasStepped = Math.abs(drift) > stepMs;
  const serverOffsetMs = hasStepped ? undefined : state.serverOffsetMs;
  const rightMs = rightTimeMs({ serverOffsetMs }, wallMs);
  const alignedMs = Math.round(rightMs / periodMs) * periodMs;
  const take = (timeMs: number | undefined): SampleTimeStep => ({
    state: { lastMs: timeMs ?? lastMs, serverOffsetMs, before: { wallMs, monotonicMs } },
    timeMs,
    hasStepped,
  });
  if (lastMs === undefined || alignedMs > lastMs) return take(alignedMs);
  const aheadMs = lastMs - rightMs;
  if (aheadMs <= Math.max(leaveOutMs, 2 * periodMs)) return take(undefined);
  if (aheadMs > limits.maxAheadMs && serverOffsetMs !== undefined) return take(alignedMs);
  return take(lastMs + Math.ceil(periodMs * slower));
};

/** How long until the next tick, on the period of the wall clock. */
export const untilNextTickMs = (wallMs: number, periodMs: number): number =>
  (Math.round(wallMs / periodMs) + 1) * periodMs - wallMs;
