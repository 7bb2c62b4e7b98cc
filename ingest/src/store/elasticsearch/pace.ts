/**
 * How many bulks may be on their way, and how long to wait after a failure. More at once fills the server's threads, too many are
 * answered 429: so one more after twenty clean ones, half after a failure; and as at the start again after so many failures in a row that
 * the server was away. While it fails, one bulk at a time is the trial (the breaker), after a wait with jitter, so that many ingest nodes
 * do not come back in one wave.
 */
export type Pace = { readonly allowed: number; readonly clean: number; readonly failures: number };

const minInFlight = 1;
const startInFlight = 3;
/** More in flight than this did not raise throughput on four server threads and costs a buffer each. */
const maxInFlight = 4;
const cleanPerStep = 20;
const firstWaitMs = 100;
/** Raising this spares a dead server and makes the store come back later after an outage. */
const maxWaitMs = 5_000;
/** So many failures in a row, and no wait is shorter than this: a disk that is full for hours sees one bulk every few seconds. */
const openFailures = 5;
const minOpenWaitMs = 2_000;

export const startPace: Pace = { allowed: startInFlight, clean: 0, failures: 0 };

export const afterClean = (pace: Pace): Pace => {
  // It was away, not busy: how little it could take then says nothing about now.
  if (pace.failures >= openFailures) return startPace;
  if (pace.failures > 0) return { allowed: pace.allowed, clean: 0, failures: 0 };
  if (pace.clean + 1 < cleanPerStep) return { ...pace, clean: pace.clean + 1 };
  return { allowed: Math.min(maxInFlight, pace.allowed + 1), clean: 0, failures: 0 };
};

/** The wait after so many failures before this one; `random` in [0, 1) spreads it. */
export const waitAfter = (failures: number, random: number): number => {
  const ceilingMs = Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(failures, 20));
  const floorMs = failures >= openFailures ? minOpenWaitMs : 0;
  return Math.ceil(floorMs + random * (ceilingMs - floorMs));
};

const halved = (pace: Pace, failures: number): Pace => ({
  allowed: Math.max(minInFlight, pace.allowed >> 1),
  clean: 0,
  failures,
});

export const afterFailure = (pace: Pace, random: number): { pace: Pace; waitMs: number } => ({
  pace: halved(pace, pace.failures + 1),
  waitMs: waitAfter(pace.failures, random),
});

/** Some of a bulk was taken and some not: the server lives, and has enough. */
export const afterPartial = (pace: Pace): Pace => halved(pace, 0);

/** Bulks that may be on their way now: a single trial while the last one failed. */
export const inFlightAllowed = (pace: Pace): number => (pace.failures > 0 ? 1 : pace.allowed);
