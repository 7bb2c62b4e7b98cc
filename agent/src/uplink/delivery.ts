/**
 * Decides which record goes out next. Two lanes share the window: *live* takes new batches in their order the moment they are there;
 * *backlog* walks through the queue, oldest first, takes events, and sends again what has no acknowledgement. Ingest says how many of the
 * backlog may be on the way (`pace`); a quarter of the window is never theirs, so the live lane does not wait for them. What ingest calls
 * busy, and what is not answered in time, leaves the window and is met again by the backlog; it never ends a connection.
 */
import { comparePositions, isWithin, type Position, type QueuedBatch, type SeqRange } from '../queue/queue.ts';
import { rules as allRules, type UplinkRules } from './rules.ts';

/** New batches wait here while there is no connection; what is older than this is no live view any more and left to the backlog. */
const maxLive = 16;
const maxLiveAgeMs = 10_000;
/** A batch without an answer for so long is sent again. With a window of 16 and a batch per second the window never fills by it. */
export const answerMs = 8000;
/** A backlog that is done is looked at again so often: the queue says "nothing" too when it cannot read its disk for a moment. */
const lookAgainMs = 5000;
/** After a missing answer the backlog pauses: ingest may well be storing it. */
const pauseMs = 2000;

type Flight = { readonly at: Position; readonly isBacklog: boolean; sentMs: number | undefined };

/** What the node of a connection said about itself. */
export type Opening = {
  readonly window: number;
  /** Records of the backlog on the way at most; `undefined` from a node that knows no pace: as many as the window takes. */
  readonly pace?: number | undefined;
  readonly protocol: number;
};

export type Delivery = {
  /** A new record, safe in the queue. */
  offer(batch: QueuedBatch, nowMs: number): void;
  opened(opening: Opening): void;
  paced(backlog: number): void;
  closed(): void;
  /** Of both lanes together only one record is on the way from now on, or as many as ever. */
  oneAtATime(isOn: boolean): void;
  /** This record of the backlog is left out for now; without one, all are met. */
  passOver(at: Position | undefined): void;
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

export const createDelivery = (
  /** Of an earlier start is everything that the queue holds before this. */
  begin: Position,
  rules: UplinkRules = allRules,
): Delivery => {
  let window = 0;
  let pace = Number.POSITIVE_INFINITY;
  let protocol = 0;
  let isAlone = false;
  let passed: Position | undefined;
  /** The newest record that is known to be safe. */
  let offered = begin;
  let live: { batch: QueuedBatch; offeredMs: number }[] = [];
  const flights = new Map<string, Flight>();
  /** The backlog has been read up to here. */
  let cursor: Position | undefined;
  let more = true;
  let lookedMs = 0;
  let holdUntilMs = 0;

  /** Makes the backlog meet this batch again. */
  const rewindTo = (at: Position): void => {
    const before = { epoch: at.epoch, seq: at.seq - 1 };
    if (cursor && comparePositions(before, cursor) < 0) cursor = before;
    more = true;
  };

  /** Its place alone: kept with its bytes, and those of the page it was read with, a window that ingest never answers would be memory. */
  const fly = (batch: QueuedBatch, isBacklog: boolean): void =>
    void flights.set(key(batch), { at: { epoch: batch.epoch, seq: batch.seq }, isBacklog, sentMs: undefined });

  const mustWait = (): boolean => isAlone && flights.size > 0;

  const backlogRoom = (): number => {
    const backlog = flights.values().reduce((sum, { isBacklog }) => sum + Number(isBacklog), 0);
    if (mustWait()) return 0;
    const room = rules.backlogRoom({ window, pace, live: flights.size - backlog, backlog });
    return isAlone ? Math.min(1, room) : room;
  };

  return {
    offer: (batch, nowMs) => {
      if (comparePositions(batch, offered) > 0) offered = batch;
      if (batch.kind === 'events') {
        more = true;
        return;
      }
      live.push({ batch, offeredMs: nowMs });
      while (live.length > maxLive) {
        const late = live.shift();
        if (late) rewindTo(late.batch);
      }
    },
    opened: (opening) => {
      window = opening.window;
      pace = opening.pace ?? Number.POSITIVE_INFINITY;
      protocol = opening.protocol;
      flights.clear();
      if (rules.resendsAfterReconnect()) cursor = undefined;
      more = true;
      holdUntilMs = 0;
    },
    paced: (backlog) => {
      // A node that grants more knows its room better than what it said when it was busy.
      if (backlog > pace) holdUntilMs = 0;
      pace = backlog;
    },
    closed: () => {
      window = 0;
      flights.clear();
    },
    oneAtATime: (isOn) => {
      isAlone = isOn;
    },
    passOver: (at) => {
      if (passed && !at) rewindTo(passed);
      passed = at;
    },
    takeLive: (nowMs) => {
      while (live[0] && nowMs - live[0].offeredMs > maxLiveAgeMs) {
        rewindTo(live[0].batch);
        live = live.slice(1);
      }
      if (flights.size >= window || mustWait()) return undefined;
      const batch = live.shift()?.batch;
      if (batch) fly(batch, false);
      return batch;
    },
    backlog: (nowMs) => {
      if (window === 0 || nowMs < holdUntilMs || (!more && nowMs - lookedMs < lookAgainMs)) return undefined;
      const room = backlogRoom();
      if (room <= 0) return undefined;
      more = true;
      lookedMs = nowMs;
      return { after: cursor, room };
    },
    takeBacklog: (after, read) => {
      // Something went back to the backlog while the queue was being read: what was read is met again.
      const isStale = cursor === undefined ? after !== undefined : !after || comparePositions(cursor, after) !== 0;
      if (window === 0 || isStale || mustWait()) return [];
      // What is not safe yet comes by the live lane, or is offered as an event.
      const unsafe = read.findIndex((batch) => !rules.mayBeSent(batch, offered));
      const safe = unsafe < 0 ? read : read.slice(0, unsafe);
      const last = safe.at(-1);
      if (!last) {
        more = false;
        return [];
      }
      cursor = { epoch: last.epoch, seq: last.seq };
      const waiting = new Set(live.map(({ batch }) => key(batch)));
      const chosen = safe.filter(
        (batch) =>
          rules.isUnderstood(batch.kind, protocol) &&
          !flights.has(key(batch)) &&
          !waiting.has(key(batch)) &&
          !(passed && comparePositions(batch, passed) === 0),
      );
      for (const batch of chosen) fly(batch, true);
      return chosen;
    },
    sent: (at, nowMs) => {
      const flight = flights.get(key(at));
      if (flight) flight.sentMs = nowMs;
    },
    forget: (at) => void flights.delete(key(at)),
    acknowledged: (epoch, ranges) => {
      for (const [name, { at }] of flights) if (at.epoch === epoch && isWithin(ranges, at.seq)) flights.delete(name);
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
