/**
 * Frames over WebSocket. A request from a browser (it has an Origin) is refused; what has not proved itself may send 4 KiB in all, whatever its
 * frame headers announce, and must have finished its request within 3 s.
 */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../system/clock.ts';
import type { Timer } from '../system/clock.ts';
import { transportLimits } from './transport.ts';
import type { Connection, ConnectionEvents, Dialled, Listener, Transport } from './transport.ts';

const path = '/mesh';
const protocol = 'thrum-mesh';
const requestMs = 3000;
/** How long what was sent before a close may take to leave. */
const farewellMs = 1000;
const maxReasonBytes = 120;
/** WebSocket's own, of the few frames of a handshake. */
const frameHeaderBytes = 256;
/**
 * A mask of zeros, which the library then applies at neither end: masking guards proxies against what a web page makes a browser send, and
 * costs a node more than all the rest (each byte twice, in JavaScript).
 */
const unmasked = (mask: Buffer): void => void mask.fill(0);
const socketOptions = { maxPayload: transportLimits.frameBytes, perMessageDeflate: false } as const;

const shorten = (reason: string): string => Buffer.from(reason).subarray(0, maxReasonBytes).toString('latin1');

const bytesOf = (data: Buffer | ArrayBuffer | Buffer[]): Uint8Array => {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
};

const carry = (
  socket: WebSocket,
  raw: Duplex,
  remote: string,
  open: (connection: Connection) => ConnectionEvents,
): Connection => {
  let closing = false;
  let ended = false;
  let trusted = false;
  let untrustedBytes = 0;
  let untrustedFrameBytes = 0;
  let reason: string | undefined;
  let farewell: Timer | undefined;

  const end = (why: string): void => {
    if (ended) return;
    ended = true;
    events.closed(why);
  };
  const tooMuch = (): void => {
    reason ??= `more than ${transportLimits.untrustedBytes} bytes before the handshake was over`;
    closing = true;
    socket.terminate();
  };
  // Bytes as they come in, so that a huge frame is not collected first.
  const count = (chunk: Buffer): void => {
    untrustedBytes += chunk.length;
    if (untrustedBytes > transportLimits.untrustedBytes + frameHeaderBytes) tooMuch();
  };
  raw.on('data', count);

  const connection: Connection = {
    remote,
    send: (frame, written) => {
      if (closing || socket.readyState !== WebSocket.OPEN) written?.();
      else socket.send(frame, () => written?.());
    },
    trust: () => {
      trusted = true;
      raw.off('data', count);
    },
    close: (why) => {
      if (closing) return;
      closing = true;
      reason = why;
      socket.close(1000, shorten(why));
      farewell = systemClock.after(farewellMs, () => socket.terminate());
    },
  };
  const events = open(connection);
  socket.on('message', (data, isBinary) => {
    if (closing) return;
    const bytes = bytesOf(data);
    untrustedFrameBytes += bytes.byteLength;
    if (!trusted && untrustedFrameBytes > transportLimits.untrustedBytes) tooMuch();
    else if (isBinary) events.frame(bytes);
    else connection.close('a text frame: only binary ones are spoken here');
  });
  socket.on('error', (error) => {
    reason ??= error.message;
  });
  socket.on('close', (code, given) => {
    farewell?.cancel();
    const said = given.toString();
    end(reason ?? (said === '' ? `connection lost (${code})` : said));
  });
  return connection;
};

const refuse = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};

const isPeer = (request: IncomingMessage): boolean =>
  request.headers.origin === undefined &&
  request.url === path &&
  request.headers['sec-websocket-protocol'] === protocol;

const explain = (error: NodeJS.ErrnoException, bind: string, port: number): Error => {
  const why =
    error.code === 'EADDRINUSE'
      ? 'the port is in use: stop what holds it or choose another'
      : error.code === 'EACCES'
        ? 'no permission: choose a port above 1023'
        : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
          ? 'this machine has no such address'
          : error.message;
  return new Error(`cannot listen for mesh nodes on ${bind} port ${port}: ${why}`, { cause: error });
};

const listen: Transport['listen'] = async ({ bind, port, accept }) => {
  const upgrades = new WebSocketServer({ noServer: true, ...socketOptions, clientTracking: false });
  const server = createServer(
    { connectionsCheckingInterval: 1000, headersTimeout: requestMs, requestTimeout: requestMs, maxHeaderSize: 4096 },
    (_request, response) => void response.writeHead(426, { connection: 'close' }).end(),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (!isPeer(request)) {
      refuse(socket, '403 Forbidden');
      return;
    }
    const { remoteAddress, remotePort } = request.socket;
    upgrades.handleUpgrade(request, socket, head, (upgraded) => {
      carry(upgraded, socket, `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`, accept);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, bind, port)));
    server.listen(port, bind, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error(`BUG: listening on ${bind} without a port`);
  const listener: Listener = {
    port: bound.port,
    // Without waiting for the links, as the server's own callback would: they are closed by whoever holds them.
    close: () =>
      new Promise((resolve) => {
        server.close();
        server.closeAllConnections();
        setImmediate(resolve);
      }),
  };
  return listener;
};

const connect = (address: string, deadlineMs: number): WebSocket | undefined => {
  try {
    return new WebSocket(`ws://${address}${path}`, protocol, {
      ...socketOptions,
      generateMask: unmasked,
      handshakeTimeout: deadlineMs,
    });
  } catch {
    return undefined;
  }
};

const dial: Transport['dial'] = (address, open, { deadlineMs }) =>
  new Promise<Dialled>((resolve) => {
    const socket = connect(address, deadlineMs);
    if (!socket) {
      resolve({ ok: false, reason: `${address} is no address: expected host:port` });
      return;
    }
    let raw: Duplex | undefined;
    const fail = (error: NodeJS.ErrnoException): void =>
      resolve({ ok: false, reason: error.message, refused: error.code === 'ECONNREFUSED' });
    socket.once('upgrade', (response) => (raw = response.socket));
    socket.once('error', fail);
    socket.once('open', () => {
      if (!raw) return;
      socket.off('error', fail);
      resolve({ ok: true, connection: carry(socket, raw, address, open) });
    });
  });

export const socketTransport: Transport = { listen, dial };
