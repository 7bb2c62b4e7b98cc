/** What a failing disk kept all the same of records that were given up or acknowledged from memory: it does not count twice. */
import { test } from 'node:test';
import { openWorld } from './queue-world.contract.ts';

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

test('a record that was written again, acknowledged and removed there does not come back from where writing it failed', async () => {
  const world = await openWorld({ maxBytes: 32 * 1024 });
  await world.append(1);
  world.sim.failNext({ op: 'sync', code: 'EIO' });
  await world.append(47);
  await world.append(3);
  await world.ack(1, [[1, 2]]);
  await world.append(60);
  await world.advance(120_000);
  await world.reopen('close');
  await world.check();
  await world.reopen('power');
  await world.check();
});

test('nor does it when the agent ended in between', async () => {
  const world = await openWorld({ maxBytes: 32 * 1024 });
  await world.append(1);
  world.sim.failNext({ op: 'sync', code: 'EIO' });
  await world.append(47);
  await world.append(3);
  await world.reopen('kill');
  await world.check();
  await world.ack(1, [[1, 2]]);
  await world.append(60);
  await world.advance(120_000);
  await world.reopen('kill');
  await world.check();
});
