/**
 * Virtual time for whole meshes in one process. Everything that happens is an event of a life (one start of a process on a host) or of the world
 * (the network, the schedule). One event runs at a time, and all microtasks it causes end before the next: so each of them, and every immediate
 * and timer it makes, belongs to the life of the event. Invariants:
 * - a life that ended runs nothing any more; a paused one runs nothing until it goes on, then all that was due, timers first, as a stopped process does;
 * - while it runs, `globalThis.setImmediate` queues here, so that order is that of making and nothing depends on the real event loop;
 * - the same events in the same order give the same `hash()`.
 */
import type { Clock, Timer } from '../system/clock.ts';
import { TimerHeap } from '../testing/timer-heap.ts';
import type { Due } from '../testing/timer-heap.ts';
import { traceHash } from './trace-hash.ts';
import type { TraceHash } from './trace-hash.ts';

export type Life = {
  readonly name: string;
  readonly clock: Clock;
  isPaused(): boolean;
  hasEnded(): boolean;
  /** In its next turn. */
  soon(run: () => void): void;
  pause(): void;
  resume(): void;
  /** Its wall clock jumps. */
  stepWall(ms: number): void;
  end(): void;
};

export type VirtualTime = {
  readonly world: Life;
  readonly hash: TraceHash;
  live(name: string, options: { wallAheadMs: number }): Life;
  /** What an event threw, or undefined. */
  failure(): string | undefined;
  events(): number;
  /** Ends early when `stop` says so, which is asked after every event. */
  runUntil(untilMs: number, stop?: () => boolean): Promise<void>;
  nowMs(): number;
  /** Gives `setImmediate` back. */
  close(): void;
};

type Work = { readonly of: LifeState; readonly run: () => void; canceled: boolean };
type Entry = Due & { readonly of: LifeState; readonly run: () => void };
type LifeState = { readonly number: number; paused: boolean; ended: boolean; timers: Entry[]; waiting: Work[] };

const startWallMs = Date.UTC(2026, 0, 1);
/** Now and then the real event loop gets its turn, for signals, and for what is said to a parent process. */
const turnsPerRealTurn = 200;

export const virtualTime = (): VirtualTime => {
  const heap = new TimerHeap<Entry>();
  const hash = traceHash();
  /** Ready to run, first in first out; `head` is what comes next. */
  let ready: Work[] = [];
  let head = 0;
  let nowMs = 0;
  let lastOrder = 0;
  let lastLife = -1;
  let events = 0;
  let failure: string | undefined;

  const newLife = (): LifeState => ({
    ...{ number: (lastLife += 1), paused: false, ended: false },
    ...{ timers: [], waiting: [] },
  });
  const worldState = newLife();
  let current = worldState;

  const queue = (of: LifeState, run: () => void): Work => {
    const work = { of, run, canceled: false };
    if (!of.ended) ready.push(work);
    return work;
  };

  const clockOf = (of: LifeState, wallAheadMs: () => number): Clock => {
    const add = (ms: number, run: () => void): Entry => {
      const entry = { dueMs: nowMs + Math.max(0, ms), order: (lastOrder += 1), canceled: false, of, run };
      if (!of.ended) heap.add(entry);
      return entry;
    };
    return {
      wallMs: () => Math.floor(startWallMs + nowMs + wallAheadMs()),
      monotonicMs: () => nowMs,
      after: (ms, run) => {
        const cancelable = { over: false };
        const entry = add(ms, () => {
          if (!cancelable.over) run();
        });
        return {
          cancel: () => {
            cancelable.over = true;
            heap.cancel(entry);
          },
        };
      },
      every: (ms, run): Timer => {
        let over = false;
        const isOver = (): boolean => over;
        let entry: Entry;
        // As Node does it: the next is due a period after this one ran, so that a pause leaves one and not a burst.
        const again = (): void => {
          entry = add(Math.max(1, ms), () => {
            if (isOver()) return;
            run();
            if (!isOver()) again();
          });
        };
        again();
        return {
          cancel: () => {
            over = true;
            heap.cancel(entry);
          },
        };
      },
    };
  };

  const lifeOf = (name: string, state: LifeState, aheadMs: number): Life => {
    let wallAheadMs = aheadMs;
    return {
      name,
      clock: clockOf(state, () => wallAheadMs),
      isPaused: () => state.paused,
      hasEnded: () => state.ended,
      soon: (run) => void queue(state, run),
      pause: () => void (state.paused = true),
      resume: () => {
        if (!state.paused) return;
        state.paused = false;
        for (const entry of state.timers.splice(0)) queue(state, entry.run);
        ready.push(...state.waiting.splice(0));
      },
      stepWall: (ms) => void (wallAheadMs += ms),
      end: () => {
        state.ended = true;
        state.timers = [];
        state.waiting = [];
      },
    };
  };

  const realSetImmediate = globalThis.setImmediate;
  const realClearImmediate = globalThis.clearImmediate;
  const virtualImmediate = (run: (...args: unknown[]) => void, ...args: unknown[]): Work =>
    queue(current, () => run(...args));
  globalThis.setImmediate = virtualImmediate as unknown as typeof setImmediate;
  globalThis.clearImmediate = ((work: Work | undefined) => {
    if (work) work.canceled = true;
  }) as unknown as typeof clearImmediate;

  const nextReady = (): Work | undefined => {
    while (head < ready.length) {
      const work = ready[head];
      head += 1;
      if (!work || work.canceled || work.of.ended) continue;
      if (!work.of.paused) return work;
      work.of.waiting.push(work);
    }
    ready = [];
    head = 0;
    return undefined;
  };
  const nextTimer = (untilMs: number): Work | undefined => {
    for (let first = heap.peek(); first && first.dueMs <= untilMs; first = heap.peek()) {
      heap.take();
      if (first.of.ended) continue;
      nowMs = first.dueMs;
      if (!first.of.paused) return { of: first.of, run: first.run, canceled: false };
      first.of.timers.push(first);
    }
    return undefined;
  };

  const runUntil = (untilMs: number, stop?: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      let turns = 0;
      const done = (): void => {
        current = worldState;
        resolve();
      };
      const afterMicrotasks = (): void => {
        turns += 1;
        // A tick asked for by a microtask comes when no microtask is left.
        if (turns % turnsPerRealTurn === 0) realSetImmediate(turn);
        else queueMicrotask(() => process.nextTick(turn));
      };
      const turn = (): void => {
        if (failure !== undefined || stop?.() === true) {
          done();
          return;
        }
        const work = nextReady() ?? nextTimer(untilMs);
        if (!work) {
          nowMs = Math.max(nowMs, untilMs);
          done();
          return;
        }
        events += 1;
        hash.add(nowMs);
        hash.add(work.of.number);
        current = work.of;
        try {
          work.run();
        } catch (error) {
          failure ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
        }
        afterMicrotasks();
      };
      afterMicrotasks();
    });

  return {
    world: lifeOf('world', worldState, 0),
    hash,
    live: (name, { wallAheadMs }) => lifeOf(name, newLife(), wallAheadMs),
    failure: () => failure,
    events: () => events,
    runUntil,
    nowMs: () => nowMs,
    close: () => {
      globalThis.setImmediate = realSetImmediate;
      globalThis.clearImmediate = realClearImmediate;
    },
  };
};
