/**
 * A network in memory: the transport of `link/` with delay, loss, splits and deaths, drawn from a seed and timed by a clock (a fake one makes it
 * virtual time; without delay frames arrive in the next turn of the event loop). It behaves as TCP does, see `loopback-way.ts`; over a split
 * nothing arrives until it is healed, and nobody is told.
 */
import type { Clock } from '../system/clock.ts';
import { transportLimits } from '../link/transport.ts';
import type { Connection, ConnectionEvents, Transport } from '../link/transport.ts';
import { openWay } from './loopback-way.ts';
import type { Parcel, Way } from './loopback-way.ts';
import { seededRandom } from './random.ts';

export type LoopbackNetwork = {
  /** The transport of one host. Hosts are the unit of splits and deaths; a node is dialled at `host:port`. */
  transport(host: string): Transport;
  /** From now on nothing passes between these hosts, in either direction. */
  split(some: readonly string[], others: readonly string[]): void;
  /** Nothing passes from one host to the other; the way back is open. */
  splitOneWay(from: string, to: string): void;
  /** All splits are over; what was held up arrives. */
  heal(): void;
  /** As when the process is killed: its connections end, at both ends, and nobody reaches it nor is reached by it. */
  kill(host: string): void;
  revive(host: string): void;
};

export type LoopbackOptions = {
  clock: Clock;
  delayMs?: { min: number; max: number };
  /** Chance that a frame is lost, and sent again after `resendMs`. */
  lossRate?: number;
  resendMs?: number;
  /** What a way holds before its sender is held up (a frame is `written` when it is on its way). */
  windowBytes?: number;
};

type End = {
  readonly host: string;
  readonly connection: Connection;
  attach(events: ConnectionEvents): void;
  arrived(parcel: Parcel): void;
  over(reason: string): void;
};

/** `out` leads to the other end. */
const makeEnd = (host: string, remote: string, out: Way): End => {
  let events: ConnectionEvents | undefined;
  let trusted = false;
  let untrustedBytes = 0;
  let ended = false;
  const finish = (reason: string): void => {
    if (ended) return;
    ended = true;
    setImmediate(() => events?.closed(reason));
  };
  const close = (reason: string): void => {
    if (ended) return;
    out.send({ bytes: new Uint8Array(0), closing: reason });
    finish(reason);
  };
  return {
    host,
    attach: (given) => void (events = given),
    connection: {
      remote,
      send: (bytes, written) => {
        if (ended) written?.();
        // A copy: over a real network nobody sees what a sender does to its buffer afterwards.
        else out.send({ bytes: new Uint8Array(bytes), ...(written && { written }) });
      },
      trust: () => void (trusted = true),
      close,
    },
    arrived: ({ bytes, closing }) => {
      if (ended) return;
      untrustedBytes += bytes.byteLength;
      const allowed = trusted ? transportLimits.frameBytes : transportLimits.untrustedBytes;
      if (closing !== undefined) {
        out.drop();
        finish(closing);
      } else if ((trusted ? bytes.byteLength : untrustedBytes) > allowed) close(`more than ${allowed} bytes`);
      else events?.frame(bytes);
    },
    over: (reason) => {
      out.drop();
      finish(reason);
    },
  };
};

const hostOf = (address: string): string => address.replace(/:\d+$/, '');

export const loopbackNetwork = (seed: number, options: LoopbackOptions): LoopbackNetwork => {
  const { clock } = options;
  const random = seededRandom(seed);
  const delayMs = options.delayMs ?? { min: 0, max: 0 };
  const listeners = new Map<string, (connection: Connection) => ConnectionEvents>();
  const blocked = new Set<string>();
  const dead = new Set<string>();
  const pairs = new Set<{ readonly ends: readonly [End, End]; readonly ways: readonly [Way, Way] }>();
  let lastPort = 20_000;

  const isBlocked = (from: string, to: string): boolean => blocked.has(`${from}>${to}`);
  const travelMs = (): number => {
    let ms = delayMs.min + random() * (delayMs.max - delayMs.min);
    while (random() < (options.lossRate ?? 0)) ms += options.resendMs ?? 200;
    return ms;
  };
  const wayFrom = (from: string, to: string, deliver: (parcel: Parcel) => void): Way =>
    openWay({
      ...{ clock, travelMs, deliver, windowBytes: options.windowBytes ?? 64 * 1024 },
      isBlocked: () => isBlocked(from, to),
    });

  const connect = (from: string, address: string): readonly [End, End] => {
    const host = hostOf(address);
    lastPort += 1;
    const there = wayFrom(from, host, (parcel) => far.arrived(parcel));
    const back = wayFrom(host, from, (parcel) => near.arrived(parcel));
    const near = makeEnd(from, address, there);
    const far = makeEnd(host, `${from}:${lastPort}`, back);
    pairs.add({ ends: [near, far], ways: [there, back] });
    return [near, far];
  };

  const transport = (host: string): Transport => ({
    listen: ({ port, accept }) => {
      if (port === 0) lastPort += 1;
      const taken = port === 0 ? lastPort : port;
      const address = `${host}:${taken}`;
      if (listeners.has(address))
        return Promise.reject(new Error(`cannot listen for mesh nodes on ${host} port ${taken}: the port is in use`));
      listeners.set(address, accept);
      return Promise.resolve({
        port: taken,
        close: () => {
          if (listeners.get(address) === accept) listeners.delete(address);
          return Promise.resolve();
        },
      });
    },
    dial: (address, open, { deadlineMs }) =>
      new Promise((resolve) => {
        const to = hostOf(address);
        const deadline = clock.after(deadlineMs, () =>
          resolve({ ok: false, reason: `no answer within ${deadlineMs} ms` }),
        );
        const arrive = (): void => {
          if (isBlocked(host, to) || isBlocked(to, host)) return;
          deadline.cancel();
          const accept = listeners.get(address);
          if (!accept || dead.has(to) || dead.has(host)) {
            resolve({ ok: false, reason: `nobody listens at ${address}` });
            return;
          }
          const [near, far] = connect(host, address);
          far.attach(accept(far.connection));
          near.attach(open(near.connection));
          resolve({ ok: true, connection: near.connection });
        };
        const ms = travelMs() + travelMs();
        if (ms > 0) clock.after(ms, arrive);
        else setImmediate(arrive);
      }),
  });

  return {
    transport,
    split: (some, others) => {
      for (const one of some) for (const other of others) blocked.add(`${one}>${other}`).add(`${other}>${one}`);
    },
    splitOneWay: (from, to) => void blocked.add(`${from}>${to}`),
    heal: () => {
      blocked.clear();
      for (const { ways } of pairs) for (const way of ways) way.wake();
    },
    kill: (host) => {
      dead.add(host);
      for (const pair of [...pairs]) {
        if (!pair.ends.some((end) => end.host === host)) continue;
        pairs.delete(pair);
        for (const end of pair.ends) end.over('connection lost: the process is gone');
      }
    },
    revive: (host) => void dead.delete(host),
  };
};
