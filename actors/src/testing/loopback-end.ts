/** One end of a connection in memory: what its node sends and hears, until it ends, which is said once. */
import { transportLimits } from '../link/transport.ts';
import type { Connection, ConnectionEvents } from '../link/transport.ts';
import type { Parcel, Way } from './loopback-way.ts';

/** In the next turn of the process at this end. */
export type Turn = (run: () => void) => void;

export type End = {
  readonly host: string;
  readonly turn: Turn;
  readonly connection: Connection;
  attach(events: ConnectionEvents): void;
  arrived(parcel: Parcel): void;
  over(reason: string): void;
  /** As `over`, but what this end sent before still arrives. */
  gone(reason: string): void;
  hasEnded(): boolean;
};

/** `out` leads to the other end; `remote` is where that is. */
export const makeEnd = (options: { host: string; remote: string; turn: Turn; out: Way; ended: () => void }): End => {
  const { out } = options;
  let events: ConnectionEvents | undefined;
  let trusted = false;
  let untrustedBytes = 0;
  let ended = false;
  const finish = (reason: string): void => {
    if (ended) return;
    ended = true;
    options.turn(() => events?.closed(reason));
    options.ended();
  };
  const close = (reason: string): void => {
    if (ended) return;
    out.send({ bytes: new Uint8Array(0), closing: reason });
    finish(reason);
  };
  return {
    host: options.host,
    turn: options.turn,
    attach: (given) => void (events = given),
    connection: {
      remote: options.remote,
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
    gone: finish,
    hasEnded: () => ended,
  };
};
