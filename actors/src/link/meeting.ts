/**
 * A connection from its first byte to its last: the handshake within its limit, then a link. The limit holds for the whole handshake, so that
 * a peer that trickles bytes is cut off as well.
 */
import type { Clock } from '../system/clock.ts';
import type { Handshake, RefusalCode, Step } from './handshake.ts';
import type { NodeInfo } from './node-info.ts';
import type { Connection, ConnectionEvents } from './transport.ts';

export const handshakeMs = 3000;

/** `broken`: the connection ended or took too long. `peer` is there only when it has proved itself. */
export type Failure = { readonly code: RefusalCode | 'broken'; readonly detail: string; readonly peer?: NodeInfo };

export const meet = (options: {
  connection: Connection;
  handshake: Handshake;
  clock: Clock;
  onLinked(peer: NodeInfo, version: number): ConnectionEvents;
  onFailed(failure: Failure): void;
}): ConnectionEvents => {
  const { connection, handshake } = options;
  let link: ConnectionEvents | undefined;
  let over = false;
  const fail = (failure: Failure): void => {
    if (over) return;
    over = true;
    limit.cancel();
    connection.close(failure.detail);
    options.onFailed(failure);
  };
  const limit = options.clock.after(handshakeMs, () =>
    fail({ code: 'broken', detail: `no handshake within ${handshakeMs} ms` }),
  );
  const follow = (step: Step): void => {
    if (step.send) connection.send(step.send);
    if (step.state === 'refused') fail(step.refused);
    if (step.state !== 'linked') return;
    limit.cancel();
    over = true;
    connection.trust();
    link = options.onLinked(step.peer, step.version);
  };
  return {
    frame: (bytes) => {
      if (link) link.frame(bytes);
      else if (!over) follow(handshake.take(bytes));
    },
    closed: (reason) => {
      if (link) link.closed(reason);
      else fail({ code: 'broken', detail: `closed during the handshake: ${reason}` });
    },
  };
};
