import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { startSegmentKeeper, type SegmentKeeper } from './segment-keeper.ts';

const keeperFor = (t: TestContext, withAway = false): { queue: string; away: string; keeper: SegmentKeeper } => {
  const root = mkdtempSync(join(tmpdir(), 'thrum-keeper-'));
  const [queue, away] = [join(root, 'queue'), join(root, 'away')];
  const isSegment = (name: string): boolean => name.endsWith('.seg');
  const keeper = startSegmentKeeper({ queue, links: join(root, 'kept'), isSegment, ...(withAway ? { away } : {}) });
  t.after(() => {
    keeper.stop();
    rmSync(root, { recursive: true });
  });
  return { queue, away, keeper };
};
const kept = (keeper: SegmentKeeper, name: string): string[] =>
  keeper.directories().flatMap((directory) => {
    try {
      return [readFileSync(join(directory, name), 'utf8')];
    } catch {
      return [];
    }
  });

test('a file that the queue removed is kept with all that was written into it, also under a name used twice', async (t) => {
  const { queue, keeper } = keeperFor(t);
  mkdirSync(queue);
  writeFileSync(join(queue, 'a.seg'), 'one');
  writeFileSync(join(queue, 'checkpoint-a'), 'x');
  await eventually(() => assert.deepEqual(kept(keeper, 'a.seg'), ['one']));
  appendFileSync(join(queue, 'a.seg'), ' two');
  rmSync(join(queue, 'a.seg'));
  writeFileSync(join(queue, 'a.seg'), 'other');
  keeper.look();
  assert.deepEqual(kept(keeper, 'a.seg'), ['one two', 'other']);
  assert.deepEqual(kept(keeper, 'checkpoint-a'), []);
});

test('a file that was given another name is kept once, under that', (t) => {
  const { queue, keeper } = keeperFor(t);
  mkdirSync(queue);
  writeFileSync(join(queue, 'new.seg'), 'one');
  keeper.look();
  renameSync(join(queue, 'new.seg'), join(queue, 'a.seg'));
  keeper.look();
  assert.deepEqual([kept(keeper, 'new.seg'), kept(keeper, 'a.seg')], [[], ['one']]);
});

test('from a small disk a file is moved away when the queue has removed it, and not before', (t) => {
  const { queue, away, keeper } = keeperFor(t, true);
  mkdirSync(queue);
  writeFileSync(join(queue, 'a.seg'), 'one');
  keeper.look();
  assert.throws(() => readFileSync(join(away, '1', 'a.seg')));
  rmSync(join(queue, 'a.seg'));
  keeper.look();
  keeper.look();
  assert.equal(readFileSync(join(away, '1', 'a.seg'), 'utf8'), 'one');
  assert.deepEqual(kept(keeper, 'a.seg'), ['one']);
});

test('what is done to a file after it was parted from the kept one is not done to that', async (t) => {
  const { queue, keeper } = keeperFor(t);
  mkdirSync(queue);
  writeFileSync(join(queue, 'a.seg'), 'good');
  await eventually(() => assert.deepEqual(kept(keeper, 'a.seg'), ['good']));
  keeper.part('a.seg');
  writeFileSync(join(queue, 'a.seg'), 'harm');
  keeper.look();
  assert.deepEqual(kept(keeper, 'a.seg'), ['good']);
  // A new file may get the place on the disk of the one that goes.
  rmSync(join(queue, 'a.seg'));
  for (const name of ['b.seg', 'c.seg']) writeFileSync(join(queue, name), name);
  keeper.look();
  assert.deepEqual(kept(keeper, 'a.seg'), ['good']);
  for (const name of ['b.seg', 'c.seg']) assert.deepEqual(kept(keeper, name), [name]);
});
