/**
 * What carries frames between two nodes: sockets (`socket-transport.ts`), or memory in tests. `transport.contract.ts` is the promise in
 * full; both pass it. Frames arrive whole, in order, at most once; a connection ends once, with a reason, at both ends.
 */
export type ConnectionEvents = {
  frame(bytes: Uint8Array): void;
  /** Exactly once, also after our own `close`. No frame comes after it. */
  closed(reason: string): void;
};

export type Connection = {
  /** Where the other end is, for logs. */
  readonly remote: string;
  /** `written` is called when the frame left our memory, or never will. Ignored after the end. Frames must not be changed afterwards. */
  send(frame: Uint8Array, written?: () => void): void;
  /** Until then a frame or sum of frames over `untrustedBytes` ends the connection. */
  trust(): void;
  /** What was sent before still goes out, for a short while. No frame is delivered to us any more. */
  close(reason: string): void;
};

/** `refused`: the machine is there and nobody listens, which a silent or unreachable one cannot say. */
export type Dialled = { ok: true; connection: Connection } | { ok: false; reason: string; refused?: boolean };

export type Listener = { readonly port: number; close(): Promise<void> };

export type Transport = {
  /** Fails with a message that names the port when it cannot listen there. Port 0 takes a free one. */
  listen(options: {
    bind: string;
    port: number;
    accept: (connection: Connection) => ConnectionEvents;
  }): Promise<Listener>;
  dial(
    address: string,
    open: (connection: Connection) => ConnectionEvents,
    options: { deadlineMs: number },
  ): Promise<Dialled>;
};

export const transportLimits = {
  /** What an end may send before it has proved who it is. A handshake takes about 600 bytes. */
  untrustedBytes: 4096,
  /** One frame: the largest answer (a snapshot of a host, a history) with room to spare. Raising it raises what one peer can make us hold. */
  frameBytes: 16 * 1024 * 1024,
} as const;
