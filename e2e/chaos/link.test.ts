import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { startLink } from './link.ts';

test('a link passes bytes both ways, ends all of it when it is cut, and passes them again when it is mended', async (t) => {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const link = await startLink(`http://127.0.0.1:${address.port}`);
  t.after(async () => {
    await link.close();
    server.close();
  });
  const dial = () => connect(Number(new URL(link.url).port), '127.0.0.1');
  const first = dial();
  first.write('there');
  assert.equal(String((await once(first, 'data'))[0]), 'there');
  link.cut();
  await once(first, 'close');
  const second = dial().on('error', () => undefined);
  await once(second, 'close');
  link.mend();
  const third = dial();
  third.write('back');
  assert.equal(String((await once(third, 'data'))[0]), 'back');
  third.destroy();
});
