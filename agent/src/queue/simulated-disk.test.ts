import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { simulatedDisk, type SimulatedDisk } from './simulated-disk.ts';

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
/** Contents as runs: "1×512 0×88". */
const describe = (content: Uint8Array | undefined): string => {
  const runs: [number, number][] = [];
  for (const value of content ?? []) {
    const last = runs.at(-1);
    if (last?.[0] === value) last[1] += 1;
    else runs.push([value, 1]);
  }
  return content ? runs.map(([value, times]) => `${value}×${times}`).join(' ') : 'none';
};
const states = (sim: SimulatedDisk, name = 'a'): string[] =>
  [...sim.crashStates()].map((image) => describe(image.get(name))).sort();

const withFile = async (options: Parameters<typeof simulatedDisk>[0] = {}) => {
  const sim = simulatedDisk(options);
  const file = await sim.disk.open('a', true);
  await sim.disk.syncDirectory();
  return { sim, file };
};

test('what was not synced is there or not, by sectors, and the size is a thing of its own', async () => {
  const { sim, file } = await withFile();
  await file.write([bytes(100, 1)], 0);
  assert.deepEqual(states(sim), ['', '0×100', '1×100']);
  await file.sync();
  assert.deepEqual(states(sim), ['1×100']);
  await file.write([bytes(1000, 2)], 100);
  const after = states(sim);
  assert.equal(after.length, new Set(after).size);
  for (const one of ['1×100', '1×100 2×1000', '1×100 0×1000', '1×100 2×412 0×588', '1×100 0×412 2×588'])
    assert.ok(after.includes(one), `${one} is not among ${after.join(' | ')}`);
});

test('of two writes into one sector each may be the last that reached the disk', async () => {
  const { sim, file } = await withFile();
  await file.write([bytes(512, 1)], 0);
  await file.sync();
  await file.write([bytes(10, 2)], 0);
  await file.write([bytes(10, 3)], 5);
  assert.deepEqual(states(sim), ['1×512', '2×10 1×502', '2×5 3×10 1×497']);
});

test('names are durable after the directory was synced, files never by that', async () => {
  const sim = simulatedDisk();
  const file = await sim.disk.open('a', true);
  await file.write([bytes(3, 1)], 0);
  await file.sync();
  assert.deepEqual(states(sim), ['1×3', 'none']);
  await sim.disk.syncDirectory();
  assert.deepEqual(states(sim), ['1×3']);
  await sim.disk.rename('a', 'b');
  assert.deepEqual(states(sim, 'b'), ['1×3', 'none']);
  await sim.disk.remove('b');
  assert.ok(states(sim).includes('1×3'));
  await sim.disk.syncDirectory();
  assert.deepEqual([states(sim), states(sim, 'b')], [['none'], ['none']]);
});

test('a sync after a failed one covers only what is written after it', async () => {
  const { sim, file } = await withFile();
  await file.write([bytes(512, 1)], 0);
  sim.failNext({ op: 'sync', code: 'EIO' });
  await assert.rejects(file.sync(), { code: 'EIO' });
  await file.write([bytes(512, 2)], 512);
  await file.sync();
  assert.deepEqual(states(sim), ['0×512 2×512', '1×512 2×512']);
  await file.write([bytes(512, 3)], 0);
  await file.sync();
  assert.deepEqual(states(sim), ['3×512 2×512']);
});

test('a killed process leaves what it wrote and never hears of the disk again', async () => {
  const { sim, file } = await withFile();
  await file.write([bytes(5, 1)], 0);
  let heard = false;
  const late = file.sync().finally(() => (heard = true));
  sim.kill();
  void late;
  await assert.doesNotReject(sim.disk.list());
  assert.equal(heard, false);
  assert.equal(describe(sim.image().get('a')), '1×5');
  assert.equal(sim.openFiles(), 0);
  sim.powerFailure();
  assert.ok(['', '0×5', '1×5'].includes(describe(sim.image().get('a'))));
});

test('a full disk takes what fits, overwriting needs no space, and removing makes some', async () => {
  const { sim, file } = await withFile();
  await file.write([bytes(100, 1)], 0);
  sim.fill(50);
  await assert.rejects(file.write([bytes(80, 2)], 100), { code: 'ENOSPC' });
  assert.equal(sim.usedBytes(), 150);
  await file.write([bytes(100, 3)], 0);
  await assert.rejects(sim.disk.open('b', true), { code: 'ENOSPC' });
  await file.truncate(0);
  const other = await sim.disk.open('b', true);
  await other.write([bytes(150, 1)], 0);
  await sim.disk.remove('b');
  assert.equal(sim.usedBytes(), 150, 'open files keep their space');
  await other.close();
  assert.equal(sim.usedBytes(), 0);
  sim.freeSpace();
  await file.write([bytes(1000, 1)], 0);
});

test('calls fail as they are told, take time by the clock, and the same seed does the same', async () => {
  const clock = fakeClock();
  const sim = simulatedDisk({ clock, latencyMs: () => 5 });
  sim.failNext({ op: 'create', code: 'EMFILE', after: 1, times: 2 });
  const codes: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const opening = sim.disk.open(name, true).then(
      () => codes.push('ok'),
      (error: unknown) => codes.push((error as NodeJS.ErrnoException).code ?? '?'),
    );
    clock.advance(5);
    await opening;
  }
  assert.deepEqual(codes, ['ok', 'EMFILE', 'EMFILE', 'ok']);
  assert.equal(clock.monotonicMs(), 20);
  assert.deepEqual(sim.calls(), { create: 4 });
});
