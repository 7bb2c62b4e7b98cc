/**
 * One WebSocket connection to an ingest node: the only file that imports socket.io-client. Reconnecting, buffering and retrying of
 * socket.io are off; they are decided elsewhere. What arrives is handed on unread: the other side is trusted with nothing.
 */
import './without-builtin-websocket.ts';
import { io } from 'socket.io-client';

/** Ingest's answers are small; a larger one is no ingest node and ends the connection. */
const maxIncomingBytes = 1024 * 1024;

/** Whoever opened it gives up sooner; this only makes sure that nothing stays behind. */
const connectMs = 20_000;

export type Listener = {
  /** `pingEveryMs` as the node said in its handshake. */
  connected(pingEveryMs: number | undefined): void;
  /** Anything at all came in, pings included. */
  heard(): void;
  /** Never before `connected`, at most once; nothing is heard after it. */
  lost(reason: string): void;
  message(event: string, payload: unknown, reply: ((answer: unknown) => void) | undefined): void;
};

export type Connection = {
  /** Without effect unless connected. */
  emit(event: string, ...payload: unknown[]): void;
  /** The answer, or `undefined` when there is none in time. */
  ask(event: string, payload: readonly unknown[], timeoutMs: number): Promise<unknown>;
  /** Fulfilled when everything emitted so far is in the hands of the system, or the connection is over. */
  written(): Promise<void>;
  close(): void;
};

export const openConnection = (url: string, listener: Listener): Connection => {
  let isOver = false;
  let pingEveryMs: number | undefined;
  const waiting = new Set<() => void>();
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    multiplex: false,
    reconnection: false,
    timeout: connectMs,
    autoConnect: false,
    // Both are passed on to the WebSocket as they are. The types know no way to say that nothing is compressed.
    ...{ maxPayload: maxIncomingBytes },
    perMessageDeflate: false as unknown as { threshold: number },
  });
  const leave = (): void => {
    isOver = true;
    socket.offAny();
    socket.disconnect();
    // Otherwise the engine waits for a dead line to take what is still to be written.
    socket.io.engine.transport.close();
    for (const resolve of [...waiting]) resolve();
  };
  const end = (reason: string): void => {
    if (isOver) return;
    leave();
    listener.lost(reason);
  };
  socket.on('connect', () => {
    if (!isOver) listener.connected(pingEveryMs);
  });
  socket.on('connect_error', (error) => end(error.message));
  socket.on('disconnect', (reason) => end(reason));
  socket.onAny((event: string, payload: unknown, ...rest: unknown[]) => {
    const last = rest.at(-1);
    const reply =
      typeof last === 'function' ? (answer: unknown) => void Reflect.apply(last, undefined, [answer]) : undefined;
    listener.message(event, payload, reply);
  });
  socket.connect();
  const { engine } = socket.io;
  engine.on('handshake', (data: { pingInterval?: unknown }) => {
    if (typeof data.pingInterval === 'number') pingEveryMs = data.pingInterval;
  });
  engine.on('packet', () => {
    if (!isOver) listener.heard();
  });

  return {
    emit: (event, ...payload) => {
      if (!isOver && socket.connected) socket.emit(event, ...payload);
    },
    ask: (event, payload, timeoutMs) =>
      new Promise((resolve) => {
        if (isOver || !socket.connected) return resolve(undefined);
        socket.timeout(timeoutMs).emit(event, ...payload, (error: unknown, answer: unknown) => {
          resolve(error ? undefined : answer);
        });
      }),
    written: () =>
      new Promise((resolve) => {
        if (isOver || engine.writeBuffer.length === 0) return resolve();
        const done = (): void => {
          engine.off('drain', done);
          waiting.delete(done);
          resolve();
        };
        waiting.add(done);
        engine.on('drain', done);
      }),
    close: () => {
      if (!isOver) leave();
    },
  };
};
