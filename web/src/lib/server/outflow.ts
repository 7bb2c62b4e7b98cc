/**
 * Live frames on their way out to all tabs of this node. What one turn of the event loop brings a tab leaves as one write at its end: a write
 * costs far more than the bytes in it. One frame for a thousand tabs is a thousand writes: after `sliceMs` of them the event loop gets its
 * turn, so that a fan-out holds up nothing else (pings, other frames, questions).
 *
 * Invariants: what one lane is given leaves in that order; a lane never waits for another lane's reader. What waits here counts as queued by
 * its tab (`waitingBytes`), and so is bounded by the tab's pacing.
 */
import type { Clock } from '@thrum/actors/system/clock';

/** How long frames are written in one turn. Raising it saves turns and delays everything else by as much. */
const sliceMs = 8;
/** Writes between two looks at the clock. */
const writesPerLook = 16;

export type Lane = {
  send(bytes: Buffer): void;
  /** Writes now what waits: before anything that must not overtake it. */
  flush(): void;
  waitingBytes(): number;
  /** Forgets what waits. */
  close(): void;
};

export type Outflow = ReturnType<typeof createOutflow>;

/** Joins buffers; the same ones in a row, as for tab after tab, only once. */
const createJoin = () => {
  let parts: readonly Buffer[] = [];
  let joined: Buffer = Buffer.alloc(0);
  return (some: readonly Buffer[]): Buffer => {
    if (some.length !== parts.length || some.some((one, at) => one !== parts[at])) {
      parts = some;
      joined = Buffer.concat(some);
    }
    return joined;
  };
};

/** `soon` runs something at the end of this turn of the event loop, or in a later one. */
export const createOutflow = (parts: { clock: Clock; soon: (run: () => void) => void }) => {
  const join = createJoin();
  /** In the order in which they were given something; one that has been flushed meanwhile has nothing. */
  let waiting: Lane[] = [];
  let scheduled = false;
  let deferred = 0;

  const round = (): void => {
    scheduled = false;
    const untilMs = parts.clock.monotonicMs() + sliceMs;
    let done = 0;
    while (done < waiting.length) {
      waiting[done]?.flush();
      done += 1;
      if (done % writesPerLook === 0 && parts.clock.monotonicMs() >= untilMs) break;
    }
    waiting = waiting.slice(done);
    if (waiting.length === 0) return;
    deferred += waiting.length;
    schedule();
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    parts.soon(round);
  };

  return {
    /** Writes that had to wait for a later turn. */
    deferred: (): number => deferred,
    waiting: (): number => waiting.length,

    /** `write` hands bytes to one tab's socket. */
    lane: (write: (bytes: Buffer) => void): Lane => {
      let first: Buffer | undefined;
      let others: Buffer[] | undefined;
      let queuedBytes = 0;
      const lane: Lane = {
        send: (bytes) => {
          queuedBytes += bytes.length;
          if (first !== undefined) {
            (others ??= []).push(bytes);
            return;
          }
          first = bytes;
          waiting.push(lane);
          schedule();
        },
        flush: () => {
          if (first === undefined) return;
          const bytes = others === undefined ? first : join([first, ...others]);
          lane.close();
          write(bytes);
        },
        waitingBytes: () => queuedBytes,
        close: () => {
          first = undefined;
          others = undefined;
          queuedBytes = 0;
        },
      };
      return lane;
    },
  };
};
