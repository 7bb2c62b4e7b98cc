/**
 * Live frames on their way out to all tabs of this node. One frame for a thousand tabs is a thousand writes: after `sliceMs` of them the
 * event loop gets its turn, so that a fan-out holds up nothing else (pings, other frames, questions).
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

/** `soon` runs something in a later turn of the event loop. */
export const createOutflow = (parts: { clock: Clock; soon: (run: () => void) => void }) => {
  const waiting = new Set<Lane>();
  let sliceStartMs: number | undefined;
  let deferred = 0;

  const hasTime = (): boolean => {
    const nowMs = parts.clock.monotonicMs();
    if (sliceStartMs !== undefined) return nowMs - sliceStartMs < sliceMs;
    sliceStartMs = nowMs;
    parts.soon(() => {
      sliceStartMs = undefined;
      for (const lane of waiting) {
        if (!hasTime()) return;
        lane.flush();
      }
    });
    return true;
  };

  return {
    /** Frames that had to wait for a later turn. */
    deferred: (): number => deferred,
    waiting: (): number => waiting.size,

    /** `write` hands bytes to one tab's socket. */
    lane: (write: (bytes: Buffer) => void): Lane => {
      let queue: Buffer[] = [];
      const lane: Lane = {
        send: (bytes) => {
          if (queue.length === 0 && waiting.size === 0 && hasTime()) return write(bytes);
          deferred += 1;
          queue.push(bytes);
          waiting.add(lane);
        },
        flush: () => {
          if (queue.length === 0) return;
          const now = queue;
          queue = [];
          waiting.delete(lane);
          for (const bytes of now) write(bytes);
        },
        waitingBytes: () => (queue.length === 0 ? 0 : queue.reduce((sum, bytes) => sum + bytes.length, 0)),
        close: () => {
          queue = [];
          waiting.delete(lane);
        },
      };
      return lane;
    },
  };
};
