/**
 * The time of the samples of a tick: whole milliseconds, on the period of the wall clock, and strictly increasing whatever that clock does,
 * because the store takes a second sample of one series and time for a repetition and drops it.
 *
 * What happens when the clock steps, and what may then be stored already:
 *
 *  - Back by at most two seconds (or two periods): ticks are left out until it has caught up. Nothing is lost but those ticks.
 *  - Back by more, with nobody to say which clock is right (ingest is away, or has not been asked again yet): samples go on from the last one a
 *    tenth slower than real time until the clock has caught up. Rates stay right within a tenth; stepping by 1 ms would make them a
 *    thousand times too large. If the new clock is the right one, these samples lie in the future: they are refused and counted when
 *    they arrive there too early.
 *  - Back, while ingest's clock is known: a clock more than five minutes off ingest's is corrected by it, so a clock that is wrong now
 *    changes nothing. A clock that was wrong before and is right now: the last samples lay further ahead than ingest takes, none of
 *    them was stored, and the samples begin at the right time again. So times may go back here, but not below what may be stored: the
 *    times before each leap forward are remembered for that, as ingest's clock and ours were never quite the same.
 *  - Forward by any amount: it is believed at once, because a host that slept looks the same. Ingest is asked again; until it has answered (a
 *    moment, or the whole outage) the samples of a clock that is wrong are ahead, and are refused and counted when they arrive too early.
 *  - Over a restart: the time of the newest sample comes from the queue, so a clock that was set meanwhile is a step like any other. What was only
 *    in memory (a disk that took nothing) is not known then; if the clock was set back too, its times may be used again, and the store,
 *    which compares, keeps the first and refuses the other.
 */
import { limits } from '@thrum/actors/wire/limits';

/** The wall clock and the steady one may differ by so much between two ticks; more is a step. */
const stepMs = 1000;
const leaveOutMs = 2000;
const slower = 0.9;
/** A host without a battery begins in 1970. */
const maxOffsetMs = 100 * 365 * 86_400_000;

/** More than ingest takes ahead of its time: not both sides of a leap may be stored at once. */
const leapMs = limits.maxAheadMs;
/** A clock that leaps more often than this between two right times is beyond help. */
const maxLeaps = 8;

export type SampleTime = {
  readonly lastMs: number | undefined;
  /** The last times before leaps forward, oldest first. */
  readonly beforeLeaps: readonly number[];
  /** Ingest's clock less ours; unknown before the first hello and after a step. */
  readonly serverOffsetMs: number | undefined;
  readonly before: { readonly wallMs: number; readonly monotonicMs: number } | undefined;
};

export const beginSampleTime = (lastMs: number | undefined): SampleTime => ({
  lastMs,
  beforeLeaps: [],
  serverOffsetMs: undefined,
  before: undefined,
});

/** A difference of more than a lifetime is no clock's, and is ignored. */
export const hearServerClock = (state: SampleTime, offsetMs: number): SampleTime =>
  Math.abs(offsetMs) <= maxOffsetMs ? { ...state, serverOffsetMs: offsetMs } : state;

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
  const take = (timeMs: number | undefined): SampleTimeStep => {
    const isLeap = timeMs !== undefined && lastMs !== undefined && timeMs - lastMs > leapMs;
    const beforeLeaps = isLeap ? [...state.beforeLeaps, lastMs].slice(-maxLeaps) : state.beforeLeaps;
    const next = { lastMs: timeMs ?? lastMs, beforeLeaps, serverOffsetMs, before: { wallMs, monotonicMs } };
    return { state: next, timeMs, hasStepped };
  };
  if (lastMs === undefined || alignedMs > lastMs) return take(alignedMs);
  const aheadMs = lastMs - rightMs;
  if (aheadMs <= Math.max(leaveOutMs, 2 * periodMs)) return take(undefined);
  if (aheadMs > limits.maxAheadMs && serverOffsetMs !== undefined) {
    // As if nothing had been measured since the newest time that may be stored.
    const storable = state.beforeLeaps.filter((ms) => ms <= rightMs + limits.maxAheadMs);
    const beginAgain = { lastMs: storable.length > 0 ? Math.max(...storable) : undefined, beforeLeaps: [] };
    return nextSampleTime({ ...state, ...beginAgain, serverOffsetMs }, now);
  }
  return take(lastMs + Math.ceil(periodMs * slower));
};

/** How long until the next tick, on the period of the wall clock. */
export const untilNextTickMs = (wallMs: number, periodMs: number): number =>
  (Math.round(wallMs / periodMs) + 1) * periodMs - wallMs;
