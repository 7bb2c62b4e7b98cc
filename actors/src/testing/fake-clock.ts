/**
 * A clock a test owns: time stands still until `advance`. Timers fire in order of their time (then of their making), each at its own time, so
 * that a timer set by a timer within the advance fires too.
 */
import type { Clock, Timer } from '../system/clock.ts';
import { TimerHeap } from './timer-heap.ts';
import type { Due } from './timer-heap.ts';

export type FakeClock = Clock & {
  advance(ms: number): void;
  /** Moves only the wall clock, as a wrong or corrected clock would. */
  stepWall(ms: number): void;
  /** Timers that would still fire: 0 after everything was closed. */
  pending(): number;
};

type Entry = Due & { readonly run: () => void };

export const fakeClock = (startWallMs = Date.UTC(2026, 0, 1)): FakeClock => {
  const entries = new TimerHeap<Entry>();
  let nowMs = 0;
  let wallAheadMs = startWallMs;
  let lastOrder = 0;

  const add = (dueMs: number, run: () => void, order = (lastOrder += 1)): Entry => {
    const entry = { dueMs, order, canceled: false, run };
    entries.add(entry);
    return entry;
  };
  const repeat = (everyMs: number, run: () => void): Timer => {
    let entry: Entry;
    const again = (dueMs: number, order?: number): void => {
      entry = add(
        dueMs,
        () => {
          // Its place among timers of one time stays that of its making.
          again(dueMs + everyMs, entry.order);
          run();
        },
        order,
      );
    };
    again(nowMs + everyMs);
    return { cancel: () => entries.cancel(entry) };
  };

  return {
    wallMs: () => nowMs + wallAheadMs,
    monotonicMs: () => nowMs,
    after: (ms, run) => {
      const entry = add(nowMs + Math.max(0, ms), run);
      return { cancel: () => entries.cancel(entry) };
    },
    every: (ms, run) => repeat(Math.max(1, ms), run),
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (let first = entries.peek(); first && first.dueMs <= untilMs; first = entries.peek()) {
        entries.take();
        nowMs = first.dueMs;
        first.run();
      }
      nowMs = untilMs;
    },
    stepWall: (ms) => {
      wallAheadMs += ms;
    },
    pending: () => entries.size,
  };
};
