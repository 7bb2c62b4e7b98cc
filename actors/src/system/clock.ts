/**
 * Time, passed in wherever time decides something, so that a test may own it. `monotonicMs` is for every timeout and every age
 * (it never jumps); `wallMs` is only for what people and stores read. Timers fire on the clock they were made on.
 */
export type Timer = { cancel(): void };

export type Clock = {
  wallMs(): number;
  monotonicMs(): number;
  after(ms: number, run: () => void): Timer;
  every(ms: number, run: () => void): Timer;
};

/** What Node's timers take; a longer wait would fire at once. */
const longestMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, longestMs));
    return { cancel: () => clearTimeout(timer) };
  },
  every: (ms, run) => {
    const timer = setInterval(run, Math.min(ms, longestMs));
    return { cancel: () => clearInterval(timer) };
  },
};
