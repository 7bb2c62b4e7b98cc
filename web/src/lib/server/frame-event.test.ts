/** A real socket.io server and client: what is written by hand must be what socket.io itself would have said. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Server, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { eventually } from '@thrum/actors/testing/eventually';
import { frameEvent } from './frame-event.ts';

test('a client takes prepared frames of every length as the event they are, in order with other events', async (t) => {
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
  const client = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'] });
  t.after(async () => {
    client.close();
    await server.close();
  });
  const got: (number | string)[] = [];
  const bad: unknown[] = [];
  client.on('frame', (bytes: Uint8Array) => {
    got.push(bytes.length);
    if (!bytes.every((byte, at) => byte === at % 251)) bad.push(bytes);
  });
  client.on('beat', (text: string) => void got.push(text));
  const [socket] = (await once(server, 'connection')) as [Socket];
  await eventually(() => client.connected);
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];
  for (const length of lengths) {
    const bytes = frameEvent(Uint8Array.from({ length }, (_, at) => at % 251));
    (socket.conn as unknown as { write(data: Buffer, how: object): void }).write(bytes, {
      wsPreEncodedFrame: [bytes],
    });
    socket.emit('beat', `after ${length}`);
  }
  const expected = lengths.flatMap((length) => [length, `after ${length}`]);
  await eventually(() => assert.deepEqual(got, expected));
  assert.deepEqual(bad, []);
});

test('a payload is prepared once, however many tabs it goes to', () => {
  const payload = new Uint8Array(500);
  assert.equal(frameEvent(payload), frameEvent(payload));
});
