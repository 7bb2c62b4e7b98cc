/**
 * The beat: once per period, on the period of the wall clock, everything is measured under one time. A round that takes longer than the
 * period leaves ticks out; rounds never overlap.
 */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Sample } from '@thrum/actors/wire/batch';
import type { Rounds } from './collectors/round.ts';
import { nextSampleTime, untilNextTickMs, type SampleTime } from './sample-time.ts';

/** A round has to be done within this part of the period, and within this time, so that live values are fresh. */
const roundPart = 0.5;
const maxRoundMs = 400;
/** Other systems than Linux are measured by starting programs, which takes its time. */
const maxSlowRoundMs = 10_000;

export type Sampling = { stop(): Promise<void> };

export const startSampling = (options: {
  readonly clock: Clock;
  readonly periodMs: number;
  readonly rounds: Rounds;
  readonly isSlow: boolean;
  /** Where the sample clock is kept; others tell it what ingest's clock says. */
  readonly time: { state: SampleTime };
  /** How long the last round took, and how many ticks were left out because the clock was set back. */
  readonly counters: { tickMs: number; leftOut: number };
  readonly onSamples: (samples: readonly Sample[], timeMs: number) => void;
  readonly onClockStep: () => void;
  readonly onFault: (error: unknown) => void;
}): Sampling => {
  const { clock, periodMs, rounds, time, counters } = options;
  const deadlineMs = options.isSlow ? maxSlowRoundMs : Math.min(maxRoundMs, periodMs * roundPart);
  let isStopped = false;
  let timer: Timer | undefined;
  let working: Promise<void> = Promise.resolve();

  const tick = async (): Promise<void> => {
    const beganMs = clock.monotonicMs();
    const step = nextSampleTime(time.state, { wallMs: clock.wallMs(), monotonicMs: beganMs, periodMs });
    time.state = step.state;
    if (step.hasStepped) options.onClockStep();
    if (step.timeMs === undefined) {
      counters.leftOut += 1;
      return;
    }
    const samples = await rounds.run({ timeMs: step.timeMs, monotonicMs: beganMs, deadlineMs });
    counters.tickMs = clock.monotonicMs() - beganMs;
    if (samples.length > 0) options.onSamples(samples, step.timeMs);
  };

  const schedule = (): void => {
    if (isStopped) return;
    timer = clock.after(untilNextTickMs(clock.wallMs(), periodMs), () => {
      working = tick().catch(options.onFault).finally(schedule);
    });
  };
  // The first one at once: whoever starts an agent wants to see something, and percentages need a tick before them.
  working = tick().catch(options.onFault).finally(schedule);

  return {
    stop: () => {
      isStopped = true;
      timer?.cancel();
      return working;
    },
  };
};
