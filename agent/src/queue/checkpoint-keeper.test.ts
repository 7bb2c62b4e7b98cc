/** Checkpoints on a disk of which one file goes bad: none that was reported durable is ever lost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@thrum/actors/testing/random';
import type { Checkpoint } from './checkpoint.ts';
import { createCheckpointKeeper, readCheckpoints } from './checkpoint-keeper.ts';
import { simulatedDisk, type DiskFault, type SimulatedDisk } from './simulated-disk.ts';

const checkpoint = (produced: number): Omit<Checkpoint, 'generation'> => ({
  ...{ host: '0b54e1f2-9c1d-4c0e-8d7a-3f1f6a5b2c4d', isClean: false, writtenMs: 1, ageMs: 2, lastEpoch: 5 },
  ...{ settled: { stored: 1, refused: 2, gap: 3 }, newestMs: undefined, openedMs: 1, end: undefined },
  ...{ produced, nextOrdinal: 1, gaps: [], removed: [produced], ranges: [] },
});
const newestIn = async (sim: SimulatedDisk): Promise<number | undefined> =>
  (await readCheckpoints(sim.disk, await sim.disk.list())).newest?.produced;
const bad = (op: 'write' | 'sync', name: RegExp): DiskFault => ({ op, name, code: 'EIO', times: 1000 });

describe('checkpoints', () => {
  for (const op of ['write', 'sync'] as const)
    for (const name of ['checkpoint-a', 'checkpoint-b'])
      it(`go to a new file when the ${op} of ${name} fails for good, and segments may be removed again`, async () => {
        const sim = simulatedDisk({ random: seededRandom(1) });
        const keeper = createCheckpointKeeper(sim.disk, await readCheckpoints(sim.disk, []));
        for (const produced of [1, 2]) await keeper.write(checkpoint(produced));
        sim.failNext(bad(op, new RegExp(`^${name}$`)));
        let durable = 2;
        let failed = 0;
        for (let produced = 3; produced < 20; produced += 1) {
          await keeper.write(checkpoint(produced)).then(
            () => (durable = produced),
            () => (failed += 1),
          );
          for (const image of sim.crashStates(20))
            assert.ok(((await newestIn(simulatedDisk({ image }))) ?? 0) >= durable, `${durable} was durable`);
        }
        assert.ok(failed > 0 && failed < 4, `${failed} checkpoints failed`);
        assert.equal(durable, 19);
        await keeper.write({ ...checkpoint(20), removed: [7] });
        await keeper.write({ ...checkpoint(21), removed: [7] });
        assert.equal(keeper.mayRemove(7), true);
        await keeper.close();
        sim.powerFailure();
        assert.equal(await newestIn(sim), 21);
        assert.equal(sim.openFiles(), 0);
      });

  it('lose nothing at any moment at which the power fails while a bad file is replaced', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const sim = simulatedDisk({ random: seededRandom(seed) });
      const keeper = createCheckpointKeeper(sim.disk, await readCheckpoints(sim.disk, []));
      for (const produced of [1, 2]) await keeper.write(checkpoint(produced));
      sim.failNext(bad(seed % 2 === 0 ? 'write' : 'sync', /^checkpoint-a$/));
      let durable = 2;
      const writing = (async () => {
        for (let produced = 3; produced < 9; produced += 1)
          await keeper.write(checkpoint(produced)).then(
            () => (durable = produced),
            () => undefined,
          );
      })();
      for (let turn = 0; turn < seed * 3; turn += 1) await Promise.resolve();
      const known = durable;
      sim.powerFailure();
      sim.heal();
      const found = await readCheckpoints(sim.disk, await sim.disk.list());
      assert.ok((found.newest?.produced ?? 0) >= known, `seed ${seed}: ${known} was durable`);
      // What the next process writes is found too, whatever was left half done.
      const next = createCheckpointKeeper(sim.disk, found);
      for (const produced of [30, 31, 32]) await next.write(checkpoint(produced));
      sim.powerFailure();
      assert.equal(await newestIn(sim), 32);
      void writing;
    }
  });

  it('stay in their files while the disk takes nothing new', async () => {
    const sim = simulatedDisk({ random: seededRandom(1) });
    const keeper = createCheckpointKeeper(sim.disk, await readCheckpoints(sim.disk, []));
    for (const produced of [1, 2]) await keeper.write(checkpoint(produced));
    const names = [...sim.image().keys()].toSorted();
    sim.failNext({ op: 'write', code: 'ENOSPC', times: 10 });
    for (let i = 0; i < 10; i += 1) await assert.rejects(keeper.write(checkpoint(3)), { code: 'ENOSPC' });
    assert.deepEqual([...sim.image().keys()].toSorted(), names);
    await keeper.write(checkpoint(4));
    assert.equal(await newestIn(sim), 4);
    await keeper.close();
  });
});
