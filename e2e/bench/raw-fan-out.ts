/**
 * The least a fan-out can cost: a bare `ws` server that writes one frame, made once, to every socket, once a second, and pings each every 10 s
 * like any server that wants to know who is there. A program of its own, so
 * that its processor time is its own. `node raw-fan-out.ts BYTES`: tells its port over IPC. The frame says when it was sent, as a host frame does.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { frameKinds, frameVersion } from '@thrum/actors/wire/frame';

type Wire = { _sender: { sendFrame(list: readonly Buffer[]): void } };

const payload = Buffer.alloc(Number(process.argv[2]));
payload[0] = frameKinds.host;
payload[1] = frameVersion;
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  const pings = setInterval(() => socket.ping(), 10_000);
  socket.once('close', () => clearInterval(pings));
});
setInterval(() => {
  payload.writeDoubleLE(performance.timeOrigin + performance.now(), 8);
  // One binary WebSocket frame of up to 65,535 bytes.
  const frame = [Buffer.concat([Buffer.from([0x82, 126, payload.length >> 8, payload.length & 0xff]), payload])];
  for (const socket of server.clients) (socket as unknown as Wire)._sender.sendFrame(frame);
}, 1000);
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
