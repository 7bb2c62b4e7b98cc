/** What a failing disk kept all the same of records that were given up or acknowledged from memory: it does not count twice. */
import { test } from 'node:test';
import { openWorld } from './queue-world.ts';

test('records that were given up at a failing end, and are on disk all the same, are counted once', async () => {
  const world = await openWorld({ maxBytes: 32 * 1024 });
  world.sim.failNext({ op: 'sync', code: 'EIO', times: 5, after: 1 });
  await world.append(1);
  await world.append(1);
  await world.reopen('close');
  await world.check();
});

test('a record that was acknowledged from memory, and is on disk all the same, is counted once', async () => {
  const world = await openWorld({ maxBytes: 32 * 1024 });
  await world.append(1);
  world.sim.failNext({ op: 'sync', code: 'EIO', times: 2 });
  await world.append(2);
  await world.check();
  await world.ack(1, [[1, 1]]);
  await world.append(4);
  await world.advance(20_000);
  await world.check();
  await world.reopen('kill');
  await world.check();
});
