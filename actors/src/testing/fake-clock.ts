/**
 * A clock a test owns: time stands still until `advance`. Timers fire in order of their time (then of their making), each at its own time, so
 * that a timer set by a timer within the advance fires too.
 */
import type { Clock, Timer } from '../system/clock.ts';

export type FakeClock = Clock & {
  advance(ms: number): void;
  /** Moves only the wall clock, as a wrong or corrected clock would. */
  stepWall(ms: number): void;
  /** Timers that would still fire: 0 after everything was closed. */
  pending(): number;
};

type Entry = { dueMs: number; order: number; everyMs: number | undefined; run: () => void };

export const fakeClock = (startWallMs = Date.UTC(2026, 0, 1)): FakeClock => {
  const entries = new Set<Entry>();
  let nowMs = 0;
  let wallAheadMs = startWallMs;
  let order = 0;

  const add = (ms: number, everyMs: number | undefined, run: () => void): Timer => {
    const entry = { dueMs: nowMs + Math.max(0, ms), order: (order += 1), everyMs, run };
    entries.add(entry);
    return { cancel: () => void entries.delete(entry) };
  };
  const next = (untilMs: number): Entry | undefined => {
    let first: Entry | undefined;
    for (const entry of entries) {
      if (entry.dueMs > untilMs) continue;
      if (!first || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order))
        first = entry;
    }
    return first;
  };

  return {
    wallMs: () => nowMs + wallAheadMs,
    monotonicMs: () => nowMs,
    after: (ms, run) => add(ms, undefined, run),
    every: (ms, run) => add(ms, Math.max(1, ms), run),
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (let entry = next(untilMs); entry; entry = next(untilMs)) {
        nowMs = entry.dueMs;
        if (entry.everyMs === undefined) entries.delete(entry);
        else entry.dueMs += entry.everyMs;
        entry.run();
      }
      nowMs = untilMs;
    },
    stepWall: (ms) => {
      wallAheadMs += ms;
    },
    pending: () => entries.size,
  };
};
