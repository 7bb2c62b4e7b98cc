/**
 * How long the event loop of this node was held up at most lately. Everything here shares one: a stall is a moment in which no agent is heard and no
 * page is shown anything new.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '@thrum/actors/system/clock';

/** Every look waits this long anyhow. Lowering it costs processor time: it wakes the program so often. */
const resolutionMs = 20;
/** What is said covers this long, up to twice as long. */
const periodMs = 30_000;

export type LoopDelay = {
  values(): { readonly loopDelayMaxSeconds: number };
  close(): void;
};

export const watchLoopDelay = (clock: Clock): LoopDelay => {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  let before = 0;
  const newest = (): number => (delay.count === 0 ? 0 : Math.max(0, delay.max / 1e6 - resolutionMs));
  delay.enable();
  const timer = clock.every(periodMs, () => {
    before = newest();
    delay.reset();
  });
  return {
    values: () => ({ loopDelayMaxSeconds: Math.max(before, newest()) / 1000 }),
    close: () => {
      timer.cancel();
      delay.disable();
    },
  };
};
