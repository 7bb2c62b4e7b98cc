/**
 * One direction of a connection in memory, as TCP would carry it: in order, nothing thinned out; a lost parcel is sent again and holds up those
 * behind it; while the way is blocked nothing arrives, and senders are held up once the window is full.
 */
import type { Clock, Timer } from '../system/clock.ts';

export type Parcel = { readonly bytes: Uint8Array; readonly written?: () => void; readonly closing?: string };

export type WayOptions = {
  clock: Clock;
  windowBytes: number;
  /** Drawn anew for each parcel; 0 is the next turn of the event loop. */
  travelMs(): number;
  isBlocked(): boolean;
  /** While blocked, tries again by itself, each time after twice as long, and so is late when the block is over; otherwise `wake` is waited for. */
  tries: boolean;
  deliver(parcel: Parcel): void;
  /** In the sender's next turn. */
  atSender: (run: () => void) => void;
};

export type Way = {
  send(parcel: Parcel): void;
  /** After a block is over. */
  wake(): void;
  /** Until what is under way has arrived, as it looks now. */
  waitMs(): number;
  /** What is under way is lost. */
  drop(): void;
  /** The sender is gone: what it holds back is lost, what is under way arrives, then the end. */
  finish(reason: string): void;
};

/** What TCP waits before it sends again what was not acknowledged: at first, and at most. */
export const resendPace = { firstMs: 200, longestMs: 60_000 } as const;

export const openWay = (options: WayOptions): Way => {
  const { clock, windowBytes, atSender } = options;
  /** With the time each may arrive, which never lies before the one ahead of it: several travel at a time. */
  const travelling: { readonly parcel: Parcel; readonly dueMs: number }[] = [];
  const heldUp: Parcel[] = [];
  let inWindowBytes = 0;
  let arrival: Timer | undefined;
  let arrivalMs = 0;
  let immediate: NodeJS.Immediate | undefined;
  let resendMs: number = resendPace.firstMs;
  let dropped = false;

  const travel = (parcel: Parcel): void => {
    inWindowBytes += parcel.bytes.byteLength;
    travelling.push({
      parcel,
      dueMs: Math.max(clock.monotonicMs() + options.travelMs(), travelling.at(-1)?.dueMs ?? 0),
    });
  };
  const admit = (): void => {
    for (let parcel = heldUp[0]; parcel; parcel = heldUp[0]) {
      if (inWindowBytes > 0 && inWindowBytes + parcel.bytes.byteLength > windowBytes) return;
      heldUp.shift();
      travel(parcel);
      if (parcel.written) atSender(parcel.written);
    }
  };
  const arrive = (): void => {
    arrival = undefined;
    immediate = undefined;
    while (travelling[0] && travelling[0].dueMs <= clock.monotonicMs() && !options.isBlocked() && !dropped) {
      const next = travelling.shift();
      if (!next) return;
      inWindowBytes -= next.parcel.bytes.byteLength;
      resendMs = resendPace.firstMs;
      options.deliver(next.parcel);
    }
    move();
  };
  const arriveAfter = (ms: number): void => {
    arrivalMs = clock.monotonicMs() + ms;
    arrival = clock.after(ms, arrive);
  };
  const move = (): void => {
    if (dropped) return;
    admit();
    const first = travelling[0];
    if (!first || arrival || immediate) return;
    const waitMs = first.dueMs - clock.monotonicMs();
    if (!options.isBlocked()) {
      if (waitMs > 0) arriveAfter(waitMs);
      else immediate = setImmediate(arrive);
    } else if (options.tries) {
      arriveAfter(Math.max(0, waitMs) + resendMs);
      resendMs = Math.min(resendPace.longestMs, resendMs * 2);
    }
  };

  return {
    send: (parcel) => {
      if (dropped) {
        if (parcel.written) atSender(parcel.written);
        return;
      }
      heldUp.push(parcel);
      move();
    },
    wake: move,
    waitMs: () => {
      const last = travelling.at(-1);
      return last && !dropped ? Math.max(last.dueMs, arrivalMs) - clock.monotonicMs() : 0;
    },
    drop: () => {
      dropped = true;
      arrival?.cancel();
      clearImmediate(immediate);
      for (const parcel of heldUp.splice(0)) if (parcel.written) atSender(parcel.written);
    },
    finish: (reason) => {
      if (dropped) return;
      heldUp.length = 0;
      travel({ bytes: new Uint8Array(0), closing: reason });
      move();
    },
  };
};
