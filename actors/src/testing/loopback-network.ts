/**
 * A network in memory: the transport of `link/` with delay, loss, splits and deaths, drawn from a seed and timed by a clock (a fake one makes it
 * virtual time; without delay frames arrive in the next turn of the event loop). It behaves as TCP does, see `loopback-way.ts`; over a split
 * nothing arrives until it is healed, and nobody is told.
 */
import type { Clock } from '../system/clock.ts';
import type { Connection, ConnectionEvents, Dialled, Transport } from '../link/transport.ts';
import { makeEnd } from './loopback-end.ts';
import type { End, Turn } from './loopback-end.ts';
import { openWay, resendPace } from './loopback-way.ts';
import type { Way } from './loopback-way.ts';
import { seededRandom } from './random.ts';

export type LoopbackNetwork = {
  /**
   * The transport of one host. Hosts are the unit of splits and deaths; a node is dialled at `host:port`. `turn` runs what reaches the process
   * there, and may hold it back (a process that stands still) or drop it (one that is gone); without it all runs at once.
   */
  transport(host: string, turn?: Turn): Transport;
  /** From now on nothing passes between these hosts, in either direction. */
  split(some: readonly string[], others: readonly string[]): void;
  /** Nothing passes from one host to the other; the way back is open. */
  splitOneWay(from: string, to: string): void;
  /** Their connections to each other end, and no door of one is open to the other: as behind a firewall that says no. Healed as splits are. */
  refuse(one: string, other: string): void;
  /** All splits are over; what was held up arrives. */
  heal(): void;
  /** Until all that is under way over connections that last has arrived, as it looks now. */
  waitMs(): number;
  /** Chance that a frame is lost from now on. */
  setLoss(rate: number): void;
  /** As when the process is killed: its connections end, at both ends, and nobody reaches it nor is reached by it. */
  kill(host: string): void;
  /** As when the power fails or the cable is cut: nothing comes from it any more, and nobody is told. */
  vanish(host: string): void;
  /** It is there again, and knows nothing of its former connections. */
  revive(host: string): void;
};

export type LoopbackOptions = {
  clock: Clock;
  delayMs?: { min: number; max: number };
  /** Chance that a frame is lost, and sent again after `resendMs`, then after twice as long, and so on. */
  lossRate?: number;
  resendMs?: number;
  /** What a way holds before its sender is held up (a frame is `written` when it is on its way). */
  windowBytes?: number;
  /** After a split is healed, what was held up comes when it is next tried (see `loopback-way.ts`), not at once; dials are tried again as well. */
  tries?: boolean;
};

type Pair = { readonly ends: readonly [End, End]; readonly ways: readonly [Way, Way] };
type Place = { readonly accept: (connection: Connection) => ConnectionEvents; readonly turn: Turn | undefined };

const hostOf = (address: string): string => address.replace(/:\d+$/, '');
const atOnce: Turn = (run) => run();
const nextTurn: Turn = (run) => void setImmediate(run);
/** How long a dial waits for its answer before it tries again, at first. */
const redialMs = 1000;

export const loopbackNetwork = (seed: number, options: LoopbackOptions): LoopbackNetwork => {
  const { clock } = options;
  const random = seededRandom(seed);
  const delayMs = options.delayMs ?? { min: 0, max: 0 };
  const resendMs = options.resendMs ?? resendPace.firstMs;
  const tries = options.tries ?? false;
  const listeners = new Map<string, Place>();
  const blocked = new Set<string>();
  const refusing = new Set<string>();
  const dead = new Set<string>();
  const vanished = new Set<string>();
  const pairs = new Set<Pair>();
  let lossRate = options.lossRate ?? 0;
  let lastPort = 20_000;

  const isBlocked = (from: string, to: string): boolean =>
    blocked.has(`${from}>${to}`) || vanished.has(from) || vanished.has(to);
  const travelMs = (): number => {
    let ms = delayMs.min + random() * (delayMs.max - delayMs.min);
    for (let waitMs = resendMs; random() < lossRate; waitMs = Math.min(resendPace.longestMs, waitMs * 2)) ms += waitMs;
    return ms;
  };

  const connect = (from: string, fromTurn: Turn | undefined, address: string, toTurn: Turn | undefined) => {
    const host = hostOf(address);
    lastPort += 1;
    const wayTo = (sender: string, receiver: string, turns: { to?: Turn; from?: Turn }, end: () => End): Way =>
      openWay({
        ...{ clock, travelMs, tries, windowBytes: options.windowBytes ?? 64 * 1024 },
        isBlocked: () => isBlocked(sender, receiver),
        atSender: turns.from ?? nextTurn,
        deliver: (parcel) => (turns.to ?? atOnce)(() => end().arrived(parcel)),
      });
    const turnsOut = { ...(toTurn && { to: toTurn }), ...(fromTurn && { from: fromTurn }) };
    const turnsBack = { ...(fromTurn && { to: fromTurn }), ...(toTurn && { from: toTurn }) };
    const there = wayTo(from, host, turnsOut, () => far);
    const back = wayTo(host, from, turnsBack, () => near);
    const ended = (): void => {
      if (near.hasEnded() && far.hasEnded()) pairs.delete(pair);
    };
    const near = makeEnd({ host: from, remote: address, turn: fromTurn ?? nextTurn, out: there, ended });
    const far = makeEnd({ host, remote: `${from}:${lastPort}`, turn: toTurn ?? nextTurn, out: back, ended });
    const pair: Pair = { ends: [near, far], ways: [there, back] };
    pairs.add(pair);
    return { near, far };
  };

  const listen =
    (host: string, turn: Turn | undefined): Transport['listen'] =>
    ({ port, accept }) => {
      if (port === 0) lastPort += 1;
      const taken = port === 0 ? lastPort : port;
      const address = `${host}:${taken}`;
      const former = listeners.get(address);
      // That of a process that is gone, when this is a new one.
      const orphaned = turn !== undefined && former?.turn !== turn;
      if (former && !orphaned)
        return Promise.reject(new Error(`cannot listen for mesh nodes on ${host} port ${taken}: the port is in use`));
      const place = { accept, turn };
      listeners.set(address, place);
      return Promise.resolve({
        port: taken,
        close: () => {
          if (listeners.get(address) === place) listeners.delete(address);
          return Promise.resolve();
        },
      });
    };

  const dial =
    (host: string, turn: Turn | undefined): Transport['dial'] =>
    (address, open, { deadlineMs }) =>
      new Promise((resolve) => {
        const to = hostOf(address);
        let over = false;
        const settle = (outcome: () => Dialled): void => {
          over = true;
          deadline.cancel();
          (turn ?? atOnce)(() => resolve(outcome()));
        };
        const deadline = clock.after(deadlineMs, () =>
          settle(() => ({ ok: false, reason: `no answer within ${deadlineMs} ms` })),
        );
        const arrive = (tried: number): void => {
          if (over) return;
          if (isBlocked(host, to) || isBlocked(to, host)) {
            if (tries) clock.after(redialMs * 2 ** tried, () => arrive(tried + 1));
            return;
          }
          const place = listeners.get(address);
          if (!place || dead.has(to) || dead.has(host) || refusing.has(`${host}>${to}`)) {
            settle(() => ({ ok: false, reason: `nobody listens at ${address}`, refused: true }));
            return;
          }
          const { near, far } = connect(host, turn, address, place.turn);
          (place.turn ?? atOnce)(() => far.attach(place.accept(far.connection)));
          settle(() => {
            near.attach(open(near.connection));
            return { ok: true, connection: near.connection };
          });
        };
        const ms = travelMs() + travelMs();
        if (ms > 0) clock.after(ms, () => arrive(0));
        else setImmediate(() => arrive(0));
      });

  return {
    transport: (host, turn) => ({ listen: listen(host, turn), dial: dial(host, turn) }),
    split: (some, others) => {
      for (const one of some) for (const other of others) blocked.add(`${one}>${other}`).add(`${other}>${one}`);
    },
    splitOneWay: (from, to) => void blocked.add(`${from}>${to}`),
    refuse: (one, other) => {
      refusing.add(`${one}>${other}`).add(`${other}>${one}`);
      for (const { ends } of [...pairs])
        if (ends.some((end) => end.host === one) && ends.some((end) => end.host === other))
          for (const end of ends) end.over('connection reset by the other end');
    },
    heal: () => {
      blocked.clear();
      refusing.clear();
      for (const { ways } of pairs) for (const way of ways) way.wake();
    },
    waitMs: () => {
      let longestMs = 0;
      for (const { ends, ways } of pairs)
        if (!ends.some((end) => end.hasEnded())) longestMs = Math.max(longestMs, ...ways.map((way) => way.waitMs()));
      return longestMs;
    },
    setLoss: (rate) => void (lossRate = rate),
    kill: (host) => {
      dead.add(host);
      for (const pair of [...pairs]) {
        for (const [at, end] of pair.ends.entries()) {
          if (end.host !== host) continue;
          pair.ways[at]?.finish('connection lost: the process is gone');
          end.gone('connection lost: the process is gone');
        }
      }
    },
    vanish: (host) => {
      dead.add(host);
      vanished.add(host);
    },
    revive: (host) => {
      dead.delete(host);
      if (!vanished.delete(host)) return;
      for (const { ends } of [...pairs]) {
        if (!ends.some((end) => end.host === host)) continue;
        for (const end of ends) resetLater(end, host);
      }
    },
  };

  /** What a host sends to one that knows nothing of the connection is answered with its end. */
  function resetLater(end: End, from: string): void {
    clock.after(resendPace.firstMs + travelMs(), () => {
      if (end.hasEnded()) return;
      if (end.host !== from && isBlocked(from, end.host)) resetLater(end, from);
      else end.over('connection reset by the other end');
    });
  }
};
