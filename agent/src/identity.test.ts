import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { lockDirectory } from './directory-lock.ts';
import {
  aboveEpoch,
  nextEpoch,
  prepareDirectory,
  readLastSampleMs,
  StartError,
  takeIdentity,
  forgetLastSample,
} from './identity.ts';

const nowMs = 1_800_000_000_000;
const mute = (): void => undefined;

describe('the identity', () => {
  it('keeps the host for ever, counts its epochs, and draws a new boot at each start', (t) => {
    const directory = join(temporaryDirectory(t), 'made/on/the/way');
    prepareDirectory(directory);
    const first = takeIdentity(directory, nowMs, mute);
    const second = takeIdentity(directory, nowMs, mute);
    assert.equal(second.host, first.host);
    assert.deepEqual([first.epoch, second.epoch], [nowMs / 1000, nowMs / 1000 + 1]);
    assert.notEqual(second.boot, first.boot);
    assert.equal(
      readFileSync(join(directory, 'epoch'), 'utf8'),
      `${second.epoch}\n`,
      'on disk before anything is sent',
    );
  });

  it('takes a larger epoch than any before when the file is lost, broken, or older than what was sent', (t) => {
    for (const stored of [undefined, '', 'x', '-4', '1.5', '99999999999', '41\n'])
      assert.equal(nextEpoch(stored, nowMs), nowMs / 1000);
    const directory = temporaryDirectory(t);
    const epochs: number[] = [];
    takeIdentity(directory, nowMs, mute);
    const snapshot = readFileSync(join(directory, 'epoch'));
    for (const laterMs of [1000, 2000, 500_000]) {
      writeFileSync(join(directory, 'epoch'), snapshot); // restored once more
      epochs.push(takeIdentity(directory, nowMs + laterMs, mute).epoch);
    }
    assert.deepEqual(
      epochs.map((epoch) => epoch - nowMs / 1000),
      [1, 2, 500],
    );
  });

  it('counts on when the clock went back or is beyond all reason, up to what 32 bits hold', () => {
    assert.equal(nextEpoch('1900000000', nowMs), 1_900_000_001);
    assert.equal(nextEpoch('41\n', 1e15), 42);
    assert.equal(nextEpoch('41\n', 0), 42);
    assert.equal(nextEpoch(undefined, -5), 1);
    assert.throws(() => nextEpoch('4294967295', nowMs), StartError);
  });

  it('goes above an epoch that only the queue knows, and keeps that', (t) => {
    const directory = temporaryDirectory(t);
    const identity = takeIdentity(directory, nowMs, mute);
    for (const known of [undefined, 5, identity.epoch - 1])
      assert.equal(aboveEpoch(directory, identity, known, mute), identity);
    assert.equal(aboveEpoch(directory, identity, identity.epoch, mute).epoch, identity.epoch + 1);
    assert.equal(aboveEpoch(directory, identity, identity.epoch + 86_400, mute).epoch, identity.epoch + 86_401);
    assert.equal(takeIdentity(directory, nowMs, mute).epoch, identity.epoch + 86_402);
  });

  it('refuses a host id that is none instead of making a new host of it', (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'host-id'), 'me\n');
    assert.throws(() => takeIdentity(directory, nowMs, mute), /host-id holds no host id/);
    assert.equal(readFileSync(join(directory, 'host-id'), 'utf8'), 'me\n');
  });

  it('names a directory that cannot be used', (t) => {
    const file = join(temporaryDirectory(t), 'file');
    writeFileSync(file, '');
    assert.throws(() => prepareDirectory(join(file, 'below')), /THRUM_DATA.*cannot be used/);
    assert.throws(() => prepareDirectory('/proc/nowhere'), StartError);
  });

  it('reads the time of the last sample as an earlier version kept it, once, and nothing when that cannot be read', (t) => {
    const directory = temporaryDirectory(t);
    assert.equal(readLastSampleMs(directory), undefined);
    writeFileSync(join(directory, 'last-sample'), `${nowMs}\n`);
    assert.equal(readLastSampleMs(directory), nowMs);
    forgetLastSample(directory);
    forgetLastSample(directory);
    assert.equal(readLastSampleMs(directory), undefined);
    writeFileSync(join(directory, 'last-sample'), 'soon');
    assert.equal(readLastSampleMs(directory), undefined);
  });
});

describe('the lock of a data directory', () => {
  it('lets one agent in, names the owner to the other, and is free again after it', async (t) => {
    const directory = temporaryDirectory(t);
    const lock = await lockDirectory(directory);
    await assert.rejects(lockDirectory(directory), new RegExp(`in use by another agent \\(process ${process.pid}\\)`));
    await lock.release();
    await (await lockDirectory(directory)).release();
  });

  it('works for paths longer than a socket may have', async (t) => {
    const directory = join(temporaryDirectory(t), 'long'.repeat(20), 'long'.repeat(20));
    prepareDirectory(directory);
    const lock = await lockDirectory(directory);
    await assert.rejects(lockDirectory(directory), StartError);
    await lock.release();
  });

  it('takes over what a crash left behind', async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'lock'), '');
    await (await lockDirectory(directory)).release();
  });

  it('is respected when its owner is alive and says nothing', async (t) => {
    const directory = temporaryDirectory(t);
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(join(directory, 'lock'), resolve));
    t.after(() => mute.close());
    await assert.rejects(lockDirectory(directory), /in use by another agent:/);
  });
});
