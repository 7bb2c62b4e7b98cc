import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { eventually } from '../testing/eventually.ts';
import { socketTransport } from './socket-transport.ts';
import { transportContract } from './transport.contract.ts';

transportContract('sockets', () => ({
  transport: socketTransport,
  bind: '127.0.0.1',
  addressOf: (listener) => `127.0.0.1:${listener.port}`,
  nowhere: '127.0.0.1:1',
}));

const ends: string[] = [];
const listen = () =>
  socketTransport.listen({
    bind: '127.0.0.1',
    port: 0,
    accept: () => ({ frame: () => undefined, closed: (reason) => void ends.push(reason) }),
  });

const statusOf = async (socket: WebSocket): Promise<string> => {
  const [error] = (await once(socket, 'error')) as [Error];
  return error.message;
};

test('a web page may not connect, whatever address it found', async (t) => {
  const listener = await listen();
  t.after(() => listener.close());
  const url = `ws://127.0.0.1:${listener.port}/mesh`;
  assert.match(await statusOf(new WebSocket(url, 'thrum-mesh', { origin: 'http://evil' })), /403/);
  assert.match(await statusOf(new WebSocket(url)), /403/);
  assert.match(await statusOf(new WebSocket(`${url}/other`, 'thrum-mesh')), /403/);
});

test('a frame that announces more than it may is cut off before it is there', async (t) => {
  const listener = await listen();
  t.after(() => listener.close());
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/mesh`, 'thrum-mesh');
  await once(socket, 'open');
  ends.length = 0;
  socket.send(Buffer.alloc(8 * 1024 * 1024));
  await once(socket, 'close');
  await eventually(() => assert.match(ends[0] ?? '', /more than 4096 bytes before the handshake/));
});

test('a request that never ends is closed', async (t) => {
  const listener = await listen();
  t.after(() => listener.close());
  const socket = connect(listener.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write('GET /mesh HTTP/1.1\r\nHost: x\r\n');
  await once(socket, 'close');
});

test('an address of another machine cannot be bound, and the message says so', async () => {
  const listening = socketTransport.listen({ bind: '192.0.2.1', port: 0, accept: () => assert.fail('accepted') });
  await assert.rejects(listening, /192\.0\.2\.1 port 0: this machine has no such address/);
});
