/** A data directory on a disk without room: small file systems in memory, which only root may mount. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { runningAgent, settingsFor, smallDisk } from './agent-process.contract.ts';
import { overwriteSmallFile } from './durable-file.ts';
import { prepareDirectory, StartError, takeIdentity } from './identity.ts';

const nowMs = 1_800_000_000_000;

/** Takes all the room that is left. */
const fill = (directory: string): void => {
  for (const bytes of [4096, 512, 1])
    assert.throws(
      () => {
        for (let i = 0; i < 10_000; i += 1)
          writeFileSync(join(directory, `filler-${bytes}`), Buffer.alloc(bytes), { flag: 'a' });
      },
      { code: 'ENOSPC' },
    );
};

describe('on a full disk', () => {
  it('a host that is known goes on with a larger epoch, which is on disk', (t) => {
    const directory = smallDisk(t, 64);
    if (directory === undefined) return;
    const told: string[] = [];
    const warn = (_fields: object, message: string): void => void told.push(message);
    prepareDirectory(directory);
    const before = takeIdentity(directory, nowMs, warn);
    fill(directory);
    prepareDirectory(directory);
    const full = takeIdentity(directory, nowMs, warn);
    assert.equal(full.host, before.host);
    assert.equal(full.epoch, before.epoch + 1);
    assert.equal(readFileSync(join(directory, 'epoch'), 'utf8'), `${full.epoch}\n`);
    assert.deepEqual(told, []);
    rmSync(join(directory, 'filler-4096'));
    assert.equal(takeIdentity(directory, nowMs, warn).epoch, before.epoch + 2);
  });

  it('a first start says that there is no room for its id, and leaves nothing behind', (t) => {
    const directory = smallDisk(t, 16);
    if (directory === undefined) return;
    fill(directory);
    prepareDirectory(directory);
    assert.throws(
      () => takeIdentity(directory, nowMs, () => undefined),
      (error) => error instanceof StartError && /full.*make some room/.test(error.message),
    );
    assert.throws(() => readFileSync(join(directory, 'host-id')), { code: 'ENOENT' });
  });

  it('without a file for the epoch the clock has to do, with a warning', (t) => {
    const directory = smallDisk(t, 64);
    if (directory === undefined) return;
    const told: string[] = [];
    const { host } = takeIdentity(directory, nowMs, () => undefined);
    rmSync(join(directory, 'epoch'));
    fill(directory);
    const identity = takeIdentity(directory, nowMs + 5000, (_fields, message) => void told.push(message));
    assert.deepEqual([identity.host, identity.epoch], [host, nowMs / 1000 + 5]);
    assert.match(told.join(), /epoch could not be kept/);
  });
});

describe('an agent whose disk is full', () => {
  it('measures on in memory and says so, and all of it is on disk when there is room again, also over a start', async (t) => {
    const directory = smallDisk(t, 512);
    if (directory === undefined) return;
    const settings = { ...settingsFor(t), THRUM_DATA: join(directory, 'data') };
    const first = await runningAgent(t, settings);
    await eventually(async () => (await first.figure('queue_batches')) >= 5);
    assert.equal(await first.health(), 'ok\n');
    fill(directory);
    await eventually(async () => (await first.health()).startsWith('degraded: '), { withinMs: 15_000 });
    assert.equal(await first.figure('queue_degraded'), 1);
    const before = await first.figure('queue_batches');
    await eventually(async () => (await first.figure('queue_batches')) >= before + 10);
    assert.equal(await first.figure('ticks_lost_total'), 0);
    await first.kill('SIGKILL');

    const second = await runningAgent(t, settings);
    await eventually(async () => (await second.health()).startsWith('degraded: '), { withinMs: 15_000 });
    for (const bytes of [4096, 512, 1]) rmSync(join(directory, `filler-${bytes}`));
    await eventually(async () => (await second.health()) === 'ok\n', { withinMs: 40_000 });
    assert.equal(await second.figure('samples_gap_total'), 0);
    assert.equal(await second.kill('SIGTERM'), 0);
    const third = await runningAgent(t, settings);
    const [produced, queued] = [await third.figure('samples_produced_total'), await third.figure('samples_queued')];
    assert.ok(produced > 0 && queued === produced);
    assert.equal(await third.kill('SIGTERM'), 0);
  });
});

it('a small file is overwritten in its place, longer or shorter, and never made', (t) => {
  const path = join(temporaryDirectory(t), 'epoch');
  assert.throws(() => overwriteSmallFile(path, '1\n'), { code: 'ENOENT' });
  for (const text of ['41\n', '1800000000\n', '7\n']) {
    writeFileSync(path, '123456\n');
    overwriteSmallFile(path, text);
    assert.equal(readFileSync(path, 'utf8'), text);
  }
});
