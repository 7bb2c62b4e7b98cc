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
  deliver(parcel: Parcel): void;
};

export type Way = {
  send(parcel: Parcel): void;
  /** After a block is over. */
  wake(): void;
  /** What is under way is lost. */
  drop(): void;
};

export const openWay = (options: WayOptions): Way => {
  const { clock, windowBytes } = options;
  /** With the time each may arrive, which never lies before the one ahead of it: several travel at a time. */
  const travelling: { readonly parcel: Parcel; readonly dueMs: number }[] = [];
  const heldUp: Parcel[] = [];
  let inWindowBytes = 0;
  let arrival: Timer | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let dropped = false;

  const admit = (): void => {
    for (let parcel = heldUp[0]; parcel; parcel = heldUp[0]) {
      if (inWindowBytes > 0 && inWindowBytes + parcel.bytes.byteLength > windowBytes) return;
      heldUp.shift();
      inWindowBytes += parcel.bytes.byteLength;
      travelling.push({
        parcel,
        dueMs: Math.max(clock.monotonicMs() + options.travelMs(), travelling.at(-1)?.dueMs ?? 0),
      });
      if (parcel.written) setImmediate(parcel.written);
    }
  };
  const arrive = (): void => {
    arrival = undefined;
    immediate = undefined;
    while (travelling[0] && travelling[0].dueMs <= clock.monotonicMs() && !options.isBlocked() && !dropped) {
      const next = travelling.shift();
      if (!next) return;
      inWindowBytes -= next.parcel.bytes.byteLength;
      options.deliver(next.parcel);
    }
    move();
  };
  const move = (): void => {
    if (dropped) return;
    admit();
    const first = travelling[0];
    if (!first || arrival || immediate || options.isBlocked()) return;
    const waitMs = first.dueMs - clock.monotonicMs();
    if (waitMs > 0) arrival = clock.after(waitMs, arrive);
    else immediate = setImmediate(arrive);
  };

  return {
    send: (parcel) => {
      heldUp.push(parcel);
      move();
    },
    wake: move,
    drop: () => {
      dropped = true;
      arrival?.cancel();
      clearImmediate(immediate);
      for (const parcel of heldUp.splice(0)) if (parcel.written) setImmediate(parcel.written);
    },
  };
};
