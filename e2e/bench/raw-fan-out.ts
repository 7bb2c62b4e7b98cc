/**
 * The least a fan-out can cost: a bare `ws` server that writes frames made once to every socket: one as long as a host frame and one as long as
 * an overview frame each second, half a second apart, as a web node does; and pings each socket every 25 s like any server that wants to know
 * who is there. A program of its own, so that its processor time is its own. `node raw-fan-out.ts HOST_BYTES OVERVIEW_BYTES`: tells its port over
 * IPC. The host frame says when it was sent, as the real one does.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { frameKinds, frameVersion } from '@thrum/actors/wire/frame';

type Wire = { _sender: { sendFrame(list: readonly Buffer[]): void } };

const payloadOf = (kind: number, bytes: number): Buffer => {
  const payload = Buffer.alloc(bytes);
  payload[0] = kind;
  payload[1] = frameVersion;
  return payload;
};
const host = payloadOf(frameKinds.host, Number(process.argv[2]));
const overview = payloadOf(frameKinds.overview, Number(process.argv[3]));
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  const pings = setInterval(() => socket.ping(), 25_000);
  socket.once('close', () => clearInterval(pings));
});
/** A binary WebSocket frame of up to 65,535 bytes. */
const framed = (payload: Buffer): Buffer => {
  const { length } = payload;
  return Buffer.concat([Buffer.from(length < 126 ? [0x82, length] : [0x82, 126, length >> 8, length & 0xff]), payload]);
};
const writeToAll = (payload: Buffer): void => {
  const frame = [framed(payload)];
  for (const socket of server.clients) (socket as unknown as Wire)._sender.sendFrame(frame);
};
setInterval(() => {
  host.writeDoubleLE(performance.timeOrigin + performance.now(), 8);
  writeToAll(host);
}, 1000);
setTimeout(() => setInterval(() => writeToAll(overview), 1000), 500);
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
