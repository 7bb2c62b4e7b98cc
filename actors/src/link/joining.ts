/**
 * How connections become links: answers who dials, dials who is due, and decides which connection of a pair stays. Of two nodes the one with the
 * smaller id decides (see `handshake.ts`): it claims the pair for one connection and refuses every other until that one is over.
 */
import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { createDialList } from './dial-list.ts';
import { diallerHandshake, listenerHandshake } from './handshake.ts';
import type { Party, Verdict } from './handshake.ts';
import type { LinkCounts } from './link-counts.ts';
import { handshakeMs, meet } from './meeting.ts';
import type { Failure } from './meeting.ts';
import type { NodeInfo } from './node-info.ts';
import type { Connection, ConnectionEvents, Dialled, Transport } from './transport.ts';

/** Connections in a handshake at a time; further ones that come in are closed at once. */
const maxMeetings = 64;
/** The larger id of a pair leaves the first dial to the smaller one, which decides anyway. */
const courtesyMs = 300;
const maxSaid = 1000;
/** Knocks under way at a time; more are not begun. */
const maxProbes = 64;

const deaf: ConnectionEvents = { frame: () => undefined, closed: () => undefined };

export type Joining = {
  accept: (connection: Connection) => ConnectionEvents;
  /** Dials what is due, and again when the next is. */
  dialDue(): void;
  /** A peer, or somebody who knows it, says where it is. */
  learn(peer: NodeInfo): void;
  lost(peerId: string): void;
  /** Knocks at once over a connection of its own, whether or not there is a link: what comes of it is told as `proved` or `refused`. */
  probe(peerId: string, address: string): void;
  close(): void;
};

export const createJoining = (options: {
  self: () => NodeInfo;
  key: string;
  seeds: readonly string[];
  transport: Transport;
  clock: Clock;
  log: Log;
  counts: LinkCounts;
  random: () => number;
  /** The peer as it is linked now. */
  linked: (peerId: string) => NodeInfo | undefined;
  onLinked(peer: NodeInfo, connection: Connection, version: number): ConnectionEvents;
  /** The peer has shown over some connection that it is there, whether or not that one becomes its link. */
  onProved(peer: NodeInfo): void;
  /** Its machine is there, but nobody listens where this peer did. */
  onRefused(peerId: string): void;
}): Joining => {
  const { self, key, clock, log, counts, transport, linked } = options;
  const dials = createDialList({
    seeds: options.seeds,
    nowMs: clock.monotonicMs(),
    isLinked: (id) => linked(id) !== undefined,
    random: options.random,
  });
  const claims = new Map<string, Connection>();
  const meetings = new Set<Connection>();
  /** Why no link comes from an address: dialled for ever, but said only when it changes. */
  const said = new Map<string, string>();
  let dialTimer: Timer | undefined;
  let probes = 0;
  let closed = false;

  const say = (where: string, code: string, detail: string): void => {
    const words = `${code}: ${detail}`;
    if (said.get(where) === words) return;
    if (said.size >= maxSaid) said.clear();
    said.set(where, words);
    log.warn({ with: where, code, detail }, 'no link');
  };

  const decide = (peer: NodeInfo, connection: Connection): Verdict => {
    const existing = linked(peer.id);
    if (existing && existing.incarnation > peer.incarnation)
      return { ok: false, code: 'stale', detail: `a newer start of ${peer.name} is linked` };
    if (self().id > peer.id) return { ok: true };
    const claim = claims.get(peer.id);
    if (existing?.incarnation === peer.incarnation || (claim !== undefined && claim !== connection))
      return { ok: false, code: 'duplicate', detail: 'this pair has its link' };
    claims.set(peer.id, connection);
    return { ok: true };
  };

  const partyFor = (connection: Connection): Party => ({
    self: self(),
    key,
    nonce: randomBytes(32),
    decide: (peer) => {
      options.onProved(peer);
      return decide(peer, connection);
    },
  });

  const over = (connection: Connection): void => {
    meetings.delete(connection);
    for (const [id, claim] of claims) if (claim === connection) claims.delete(id);
  };

  const becomeLink = (peer: NodeInfo, connection: Connection, version: number): ConnectionEvents => {
    dials.learn(peer.address, peer.id, clock.monotonicMs(), 0);
    const events = options.onLinked(peer, connection, version);
    over(connection);
    return events;
  };

  const turnedDown = (where: string, failure: Failure): void => {
    if (failure.code === 'duplicate') counts.duplicates += 1;
    if (failure.code === 'duplicate' || failure.code === 'self' || closed) return;
    counts.refused += 1;
    say(where, failure.code, failure.detail);
  };

  type Outcome = { met(peer: NodeInfo): void; failed(failure: Failure): void };
  const knock = (address: string, outcome: Outcome): Promise<Dialled> => {
    const open = (connection: Connection): ConnectionEvents => {
      if (closed) {
        connection.close('shutting down');
        return deaf;
      }
      meetings.add(connection);
      const handshake = diallerHandshake(partyFor(connection));
      connection.send(handshake.hello);
      return meet({
        connection,
        clock,
        handshake,
        onLinked: (peer, version) => {
          outcome.met(peer);
          return becomeLink(peer, connection, version);
        },
        onFailed: (failure) => {
          over(connection);
          turnedDown(address, failure);
          outcome.failed(failure);
        },
      });
    };
    return transport.dial(address, open, { deadlineMs: handshakeMs });
  };

  const dial = async (address: string): Promise<void> => {
    counts.dials += 1;
    const peerId = dials.peerAt(address);
    const dialled = await knock(address, {
      met: (peer) => {
        said.delete(address);
        dials.met(address, peer.id);
      },
      failed: (failure) => {
        if (failure.code === 'duplicate' && failure.peer) dials.met(address, failure.peer.id);
        if (failure.code === 'self') dials.remove(address);
        dials.failed(address, clock.monotonicMs());
        dialDue();
      },
    });
    if (dialled.ok || closed) return;
    counts.dialsFailed += 1;
    say(address, 'unreachable', dialled.reason);
    dials.failed(address, clock.monotonicMs());
    if (dialled.refused === true && peerId !== undefined) options.onRefused(peerId);
    dialDue();
  };

  const probe = async (peerId: string, address: string): Promise<void> => {
    if (closed || probes >= maxProbes) return;
    counts.probes += 1;
    probes += 1;
    const dialled = await knock(address, { met: () => undefined, failed: () => undefined });
    probes -= 1;
    if (!dialled.ok && dialled.refused === true && !isClosed()) options.onRefused(peerId);
  };
  const isClosed = (): boolean => closed;

  const dialDue = (): void => {
    dialTimer?.cancel();
    dialTimer = undefined;
    if (closed) return;
    for (const address of dials.takeDue(clock.monotonicMs())) void dial(address);
    const nextMs = dials.nextDueMs();
    if (nextMs !== undefined) dialTimer = clock.after(Math.max(1, nextMs - clock.monotonicMs()), dialDue);
  };

  return {
    accept: (connection) => {
      if (closed || meetings.size >= maxMeetings) {
        counts.refused += 1;
        connection.close(closed ? 'shutting down' : 'too many connections at once');
        return deaf;
      }
      meetings.add(connection);
      return meet({
        connection,
        clock,
        handshake: listenerHandshake(partyFor(connection)),
        onLinked: (peer, version) => becomeLink(peer, connection, version),
        onFailed: (failure) => {
          over(connection);
          // Without the port, which is another one each time.
          turnedDown(connection.remote.replace(/:\d+$/, ''), failure);
        },
      });
    },
    dialDue,
    learn: (peer) => {
      if (peer.id === self().id || linked(peer.id)) return;
      dials.learn(peer.address, peer.id, clock.monotonicMs(), self().id < peer.id ? 0 : courtesyMs);
    },
    lost: (peerId) => {
      dials.lost(peerId, clock.monotonicMs());
      dialDue();
    },
    probe: (peerId, address) => void probe(peerId, address),
    close: () => {
      closed = true;
      dialTimer?.cancel();
      for (const connection of [...meetings]) connection.close('shutting down');
    },
  };
};
