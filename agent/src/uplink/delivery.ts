/**
 * Decides which batch goes out next. Two lanes share the window: *live* takes new batches in their order the moment they are there;
 * *backlog* walks through the queue, oldest first, and sends again what has no acknowledgement. The backlog never takes the last
 * quarter of the window, so the live lane does not wait for it. What ingest calls busy, and what is not answered in time, leaves
 * the window and is met again by the backlog; it never ends a connection.
 */
import { comparePositions, type Position, type QueuedBatch, type SeqRange } from '../queue/queue.ts';

/** New batches wait here while there is no connection; what is older than this is no live view any more and left to the backlog. */
const maxLive = 16;
const maxLiveAgeMs = 10_000;
/** A batch without an answer for so long is sent again. With a window of 16 and a batch per second the window never fills by it. */
export const answerMs = 8000;
/** After a missing answer the backlog pauses: ingest may well be storing it. */
const pauseMs = 2000;

type Flight = { readonly at: Position; sentMs: number | undefined };

export type Delivery = {
  /** A new batch, safe in the queue. */
  offer(batch: QueuedBatch, nowMs: number): void;
  opened(window: number): void;
  closed(): void;
  /** The next batch of the live lane, now in flight; `undefined` when there is none or the window is full. */
  takeLive(nowMs: number): QueuedBatch | undefined;
  /** Where to read the backlog on and how many there is room for; `undefined` when it is done, waits, or has no room. */
  backlog(nowMs: number): { readonly after: Position | undefined; readonly room: number } | undefined;
  /** What was read from the queue at `after`: those that are to be sent are now in flight. */
  takeBacklog(after: Position | undefined, read: readonly QueuedBatch[]): readonly QueuedBatch[];
  /** It went out just now. */
  sent(at: Position, nowMs: number): void;
  /** It will not go out: it is not in the queue any more. */
  forget(at: Position): void;
  acknowledged(epoch: number, ranges: readonly SeqRange[]): void;
  busy(at: Position, afterMs: number, nowMs: number): void;
  /** Takes what waits too long for an answer out of the window. Returns how many. */
  expire(nowMs: number): number;
  inFlight(): number;
};

const key = ({ epoch, seq }: Position): string => `${epoch}/${seq}`;

export const createDelivery = (): Delivery => {
  let window = 0;
  let live: { batch: QueuedBatch; offeredMs: number }[] = [];
  const flights = new Map<string, Flight>();
  /** The backlog has been read up to here. */
  let cursor: Position | undefined;
  let more = true;
  let holdUntilMs = 0;

  /** Makes the backlog meet this batch again. */
  const rewindTo = (at: Position): void => {
    const before = { epoch: at.epoch, seq: at.seq - 1 };
    if (cursor && comparePositions(before, cursor) < 0) cursor = before;
    more = true;
  };

  const backlogRoom = (): number => Math.max(1, Math.floor((window * 3) / 4)) - flights.size;

  return {
    offer: (batch, nowMs) => {
      live.push({ batch, offeredMs: nowMs });
      while (live.length > maxLive) {
        const late = live.shift();
        if (late) rewindTo(late.batch);
      }
    },
    opened: (size) => {
      window = size;
      flights.clear();
      cursor = undefined;
      more = true;
      holdUntilMs = 0;
    },
    closed: () => {
      window = 0;
      flights.clear();
    },
    takeLive: (nowMs) => {
      while (live[0] && nowMs - live[0].offeredMs > maxLiveAgeMs) {
        rewindTo(live[0].batch);
        live = live.slice(1);
      }
      if (flights.size >= window) return undefined;
      const batch = live.shift()?.batch;
      if (batch) flights.set(key(batch), { at: batch, sentMs: undefined });
      return batch;
    },
    backlog: (nowMs) => {
      const room = backlogRoom();
      return window > 0 && more && nowMs >= holdUntilMs && room > 0 ? { after: cursor, room } : undefined;
    },
    takeBacklog: (after, read) => {
      // Something went back to the backlog while the queue was being read: what was read is met again.
      const isStale = cursor === undefined ? after !== undefined : !after || comparePositions(cursor, after) !== 0;
      if (window === 0 || isStale) return [];
      const last = read.at(-1);
      if (!last) {
        more = false;
        return [];
      }
      cursor = { epoch: last.epoch, seq: last.seq };
      const waiting = new Set(live.map(({ batch }) => key(batch)));
      const chosen = read.filter((batch) => !flights.has(key(batch)) && !waiting.has(key(batch)));
      for (const batch of chosen) flights.set(key(batch), { at: batch, sentMs: undefined });
      return chosen;
    },
    sent: (at, nowMs) => {
      const flight = flights.get(key(at));
      if (flight) flight.sentMs = nowMs;
    },
    forget: (at) => void flights.delete(key(at)),
    acknowledged: (epoch, ranges) => {
      for (const [name, { at }] of flights)
        if (at.epoch === epoch && ranges.some(([from, to]) => from <= at.seq && at.seq <= to)) flights.delete(name);
    },
    busy: (at, afterMs, nowMs) => {
      if (!flights.delete(key(at))) return;
      rewindTo(at);
      holdUntilMs = Math.max(holdUntilMs, nowMs + afterMs);
    },
    expire: (nowMs) => {
      let late = 0;
      for (const [name, { at, sentMs }] of flights) {
        if (sentMs === undefined || nowMs - sentMs < answerMs) continue;
        flights.delete(name);
        rewindTo(at);
        holdUntilMs = Math.max(holdUntilMs, nowMs + pauseMs);
        late += 1;
      }
      return late;
    },
    inFlight: () => flights.size,
  };
};
