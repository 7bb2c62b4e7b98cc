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
  const waiting = new Set<Lane>();
  const join = createJoin();
  let scheduled = false;
  let deferred = 0;

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    parts.soon(() => {
      scheduled = false;
      const untilMs = parts.clock.monotonicMs() + sliceMs;
      for (const lane of waiting) {
        lane.flush();
        if (parts.clock.monotonicMs() >= untilMs) break;
      }
      if (waiting.size === 0) return;
      deferred += waiting.size;
      schedule();
    });
  };

  return {
    /** Writes that had to wait for a later turn. */
    deferred: (): number => deferred,
    waiting: (): number => waiting.size,

    /** `write` hands bytes to one tab's socket. */
    lane: (write: (bytes: Buffer) => void): Lane => {
      let queue: Buffer[] = [];
      let queuedBytes = 0;
      const lane: Lane = {
        send: (bytes) => {
          queue.push(bytes);
          queuedBytes += bytes.length;
          waiting.add(lane);
          schedule();
        },
        flush: () => {
          const [first] = queue;
          if (!first) return;
          const now = queue;
          queue = [];
          queuedBytes = 0;
          waiting.delete(lane);
          write(now.length === 1 ? first : join(now));
        },
        waitingBytes: () => queuedBytes,
        close: () => {
          queue = [];
          queuedBytes = 0;
          waiting.delete(lane);
        },
      };
      return lane;
    },
  };
};
