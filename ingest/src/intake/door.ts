/**
 * Who may come in now, who waits in line and who is told to come later. This file owns the sockets that wait and the timer that serves them; who
 * may enter is decided by `admission.ts`, in which order by `waiting-line.ts`.
 *
 * Invariant: each handshake is decided exactly once.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock, Timer } from '@thrum/actors/system/clock';
import { Admission, lookEveryMs, type AdmissionLimits } from './admission.ts';
import type { IntakeCounts } from './intake-counts.ts';
import { WaitingLine } from './waiting-line.ts';

/** As socket.io wants to be told. */
type Decide = (message: string | null, isAllowed: boolean) => void;

export type Door = {
  knock(request: IncomingMessage, decide: Decide): void;
  /** A connection stands; see `Admission`. */
  readonly enter: Admission['enter'];
  gauges(): Record<string, number>;
  /** Nobody is let in from now on, and who waits is told so. */
  close(): void;
};

/** An agent gives a connection up after 4 s, of which the balancer and its own machine may need some. */
const patienceMs = 2_500;
const serveEveryMs = 20;
/** Letting people in holds everybody else up for so long at most. */
const serveForMs = 8;
const maxTurnedDownAtOnce = 50;

class Visitor {
  isGone = false;
  readonly #socket: IncomingMessage['socket'];
  readonly #decide: Decide;
  readonly #left: () => void;

  constructor(request: IncomingMessage, decide: Decide, left: () => void) {
    this.#socket = request.socket;
    this.#decide = decide;
    this.#left = left;
    this.#socket.once('close', this.#leave);
    // Nobody else listens meanwhile, and an error nobody hears ends the program; `close` follows.
    this.#socket.on('error', ignore);
  }

  decide(message: string | null, isAllowed: boolean): void {
    this.#socket.off('close', this.#leave);
    this.#decide(message, isAllowed);
    this.#socket.off('error', ignore);
  }

  #leave = (): void => {
    this.isGone = true;
    this.#left();
  };
}

const ignore = (): void => undefined;
const leaving = 'leaving';
const tryLater = (reason: string): string => `try-later: ${reason}`;
const noRoom = tryLater('too many wait to be let in');

export const openDoor = (options: {
  readonly clock: Clock;
  readonly limits: AdmissionLimits;
  readonly counts: IntakeCounts;
}): Door => {
  const { clock, counts } = options;
  const admission = new Admission(options.limits, clock.monotonicMs());
  const line = new WaitingLine<Visitor>();
  let isClosed = false;
  let isSomebodyGone = false;
  let serving: Timer | undefined;

  let lookedMs = clock.monotonicMs();
  const looking = clock.every(lookEveryMs, () => {
    const nowMs = clock.monotonicMs();
    admission.looked(nowMs - lookedMs - lookEveryMs, nowMs);
    lookedMs = nowMs;
  });

  const turnDown = (decide: Decide, message: string): void => {
    counts.handshakesTurnedDown += 1;
    decide(message, false);
  };
  const turnAway = (visitor: Visitor, message: string): void =>
    turnDown((...decision) => visitor.decide(...decision), message);

  const serveSoon = (): void => {
    if (line.size > 0) serving ??= clock.after(serveEveryMs, serve);
  };
  const serve = (): void => {
    serving = undefined;
    const nowMs = clock.monotonicMs();
    if (isSomebodyGone) line.drop(({ isGone }) => isGone);
    isSomebodyGone = false;
    for (const { who } of line.expire(nowMs - patienceMs, maxTurnedDownAtOnce)) turnAway(who, noRoom);
    const mayEnter = (address: string): boolean => admission.judge(address, nowMs).ok;
    do {
      const next = line.next(mayEnter);
      if (!next) break;
      admission.knock(next.address, nowMs);
      next.who.decide(null, true);
    } while (clock.monotonicMs() - nowMs < serveForMs);
    serveSoon();
  };

  return {
    knock: (request, decide) => {
      if (isClosed) return turnDown(decide, leaving);
      const address = addressOf(request);
      const nowMs = clock.monotonicMs();
      const verdict = line.size > 0 ? admission.judge(address, nowMs) : admission.knock(address, nowMs);
      if (verdict.ok && line.size === 0) return decide(null, true);
      if (!verdict.ok && !verdict.mayWait) return turnDown(decide, tryLater(verdict.reason));
      const visitor = new Visitor(request, decide, () => (isSomebodyGone = true));
      const without = line.add(
        { address, sinceMs: nowMs, who: visitor },
        Math.floor((admission.perSecond * patienceMs) / 1000),
      );
      if (without) turnAway(without.who, noRoom);
      serveSoon();
    },
    enter: (address) => admission.enter(address),
    gauges: () => ({
      connections: admission.connections,
      connectionsWaiting: admission.waiting,
      handshakesInLine: line.size,
      admissionPart: admission.part,
    }),
    close: () => {
      isClosed = true;
      looking.cancel();
      serving?.cancel();
      for (const { who } of line.expire(Infinity, Infinity)) turnAway(who, leaving);
    },
  };
};

export const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? 'unknown';
