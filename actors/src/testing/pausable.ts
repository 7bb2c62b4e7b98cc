/**
 * A process that can be stopped and go on, as by SIGSTOP and SIGCONT: while it stands still none of its timers fires and nothing it is sent
 * reaches it; going on, overdue timers fire once each, then what waited arrives in order.
 */
import type { Clock, Timer } from '../system/clock.ts';

export type Pausable = {
  readonly clock: Clock;
  /** For `LoopbackNetwork.transport`. */
  readonly turn: (run: () => void) => void;
  pause(): void;
  resume(): void;
};

export const pausable = (outer: Clock): Pausable => {
  let paused = false;
  const overdue = new Map<object, () => void>();
  const waiting: (() => void)[] = [];
  const gate = (key: object, run: () => void) => (): void => {
    if (paused) overdue.set(key, run);
    else run();
  };
  const timer = (make: (fire: () => void) => Timer, run: () => void): Timer => {
    const key = {};
    const made = make(gate(key, run));
    return {
      cancel: () => {
        made.cancel();
        overdue.delete(key);
      },
    };
  };
  return {
    clock: {
      wallMs: () => outer.wallMs(),
      monotonicMs: () => outer.monotonicMs(),
      after: (ms, run) => timer((fire) => outer.after(ms, fire), run),
      every: (ms, run) => timer((fire) => outer.every(ms, fire), run),
    },
    turn: (run) => {
      if (paused) waiting.push(run);
      else run();
    },
    pause: () => void (paused = true),
    resume: () => {
      paused = false;
      for (const [key, run] of [...overdue]) if (overdue.delete(key)) run();
      for (const run of waiting.splice(0)) run();
    },
  };
};
