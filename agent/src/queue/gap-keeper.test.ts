/** Gaps until the store has them: what grows, what never changes, what is told again, and how many there are at most. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkpointBytes, maxGaps, readCheckpoint, writeCheckpoint, type HeldGap, type KeptGap } from './checkpoint.ts';
import { createGapKeeper, type GapKeeper } from './gap-keeper.ts';

const gapOf = (firstSeq: number, lastSeq: number, more: Partial<KeptGap> = {}): KeptGap => ({
  ...{ epoch: 5, firstSeq, lastSeq, batches: lastSeq - firstSeq + 1, samples: 10, bytes: 100 },
  ...{ fromMs: firstSeq, toMs: lastSeq, reason: 'full', foundIn: 5, ...more },
});
const durable = (gaps: GapKeeper): void => {
  gaps.close();
  gaps.areDurable(gaps.all());
};
const isIn =
  (epoch: number, ...seqs: readonly number[]) =>
  (at: { epoch: number; seq: number }): boolean =>
    at.epoch === epoch && seqs.includes(at.seq);

const checkpointOf = (gaps: readonly HeldGap[]): Buffer => {
  const into = Buffer.alloc(checkpointBytes, 0xee);
  writeCheckpoint(into, {
    ...{ host: '0b54e1f2-9c1d-4c0e-8d7a-3f1f6a5b2c4d', generation: 3, isClean: false, writtenMs: 1, ageMs: 2 },
    ...{ lastEpoch: 5, settled: { stored: 1, refused: 2, gap: 3 }, newestMs: undefined, openedMs: 1, end: undefined },
    ...{ produced: 6, nextOrdinal: 1, gaps, removed: [7], ranges: [] },
  });
  return into;
};
const gapsIn = (bytes: Buffer): readonly HeldGap[] => {
  const found = readCheckpoint(bytes);
  return found.kind === 'checkpoint' ? found.checkpoint.gaps : assert.fail(found.kind);
};

describe('the gaps a queue keeps', () => {
  it('are given out as a checkpoint holds them, and kept until the record that tells them is acknowledged', () => {
    const gaps = createGapKeeper();
    gaps.add(gapOf(0, 4));
    assert.equal(gaps.next(), undefined);
    assert.equal(gaps.isWaiting(), true);
    durable(gaps);
    const gap = gaps.next() ?? assert.fail();
    gaps.tell(gap.id, { epoch: 6, seq: 1 });
    assert.equal(gaps.next(), undefined);
    assert.equal(gaps.isWaiting(), false);
    assert.equal(gaps.acknowledged(isIn(6, 0, 2)), false);
    assert.equal(gaps.all().length, 1);
    assert.equal(gaps.acknowledged(isIn(6, 1)), true);
    assert.equal(gaps.all().length, 0);
  });

  it('are given out again, the same, when their record is within a gap itself, or was not appended', () => {
    const gaps = createGapKeeper();
    gaps.add(gapOf(0, 4));
    durable(gaps);
    const gap = gaps.next() ?? assert.fail();
    gaps.tell(gap.id, { epoch: 5, seq: 9 });
    gaps.add(gapOf(5, 8));
    gaps.add(gapOf(9, 12, { epoch: 6 }));
    durable(gaps);
    assert.notEqual(gaps.next()?.id, gap.id);
    gaps.add(gapOf(9, 9, { reason: 'unreadable' }));
    assert.deepEqual(gaps.next(), gap);
    gaps.tell(gap.id, { epoch: 6, seq: 1 });
    gaps.tell(gap.id, undefined);
    assert.deepEqual(gaps.next(), gap);
  });

  it('grow with their neighbors only while nobody was told of them', () => {
    const gaps = createGapKeeper();
    gaps.add(gapOf(0, 4));
    gaps.add(gapOf(5, 9));
    durable(gaps);
    gaps.add(gapOf(10, 14));
    gaps.add(gapOf(15, 19));
    durable(gaps);
    const told: string[] = [];
    for (let gap = gaps.next(); gap; gap = gaps.next()) {
      told.push(`${gap.firstSeq}-${gap.lastSeq}: ${gap.samples}`);
      gaps.tell(gap.id, { epoch: 6, seq: 1 });
    }
    assert.deepEqual(told, ['0-9: 20', '10-19: 20']);
  });

  it('are no more than a checkpoint holds: those that wait become one with the nearest, those that were told never change', () => {
    const gaps = createGapKeeper();
    const told = new Map<string, string>();
    const reasons = ['full', 'age', 'damaged', 'disk', 'unreadable'] as const;
    for (let i = 0; i < 2000; i += 1) {
      gaps.add(
        gapOf(i * 10, i * 10 + 4, { reason: reasons[i % reasons.length] ?? 'full', epoch: 5 + Math.floor(i / 500) }),
      );
      if (i % 7 === 0) gaps.add(gapOf(0, -1, { reason: 'unclean', foundIn: i, samples: 0, batches: 0 }));
      if (i % 20 === 0) durable(gaps);
      for (let gap = gaps.next(); gap; gap = gaps.next()) {
        told.set(gap.id, JSON.stringify(gap));
        gaps.tell(gap.id, { epoch: 99, seq: i });
      }
      assert.ok(gaps.all().length <= maxGaps);
    }
    assert.ok(told.size < maxGaps && told.size > 100);
    assert.equal(
      gaps.all().reduce((sum, { gap }) => sum + gap.samples, 0),
      20_000,
    );
    // All of them are lost at once: each is told again as it was, and when they are acknowledged the others follow.
    gaps.add(gapOf(0, 3000, { epoch: 99 }));
    const again: string[] = [];
    for (let gap = gaps.next(); gap; gap = gaps.next()) {
      assert.equal(JSON.stringify(gap), told.get(gap.id));
      again.push(gap.id);
      gaps.tell(gap.id, { epoch: 100, seq: 1 });
    }
    assert.equal(again.length, told.size);
    gaps.acknowledged(isIn(100, 1));
    durable(gaps);
    assert.ok(gaps.next());
    assert.ok(gaps.all().length < 80);
  });

  it('come back from a checkpoint as they were: open, closed or told', () => {
    const held: HeldGap[] = [
      { gap: gapOf(0, 4), isClosed: true, toldIn: { epoch: 6, seq: 2 ** 40 } },
      { gap: gapOf(5, 6, { reason: 'disk' }), isClosed: true, toldIn: undefined },
      { gap: gapOf(9, 9), isClosed: false, toldIn: undefined },
    ];
    assert.deepEqual(gapsIn(checkpointOf(held)), held);
    assert.deepEqual(gapsIn(checkpointOf([])), []);
  });

  it('may all have been told, and are told again, where a checkpoint does not say, or says it of another one', () => {
    const held: HeldGap[] = [{ gap: gapOf(0, 4), isClosed: false, toldIn: { epoch: 6, seq: 2 } }];
    const closed = [{ gap: gapOf(0, 4), isClosed: true, toldIn: undefined }];
    const bytes = checkpointOf(held);
    const begin = (bytes.readUInt32LE(8) + 7) & ~7;
    // As a program writes it that knows nothing of them.
    assert.deepEqual(gapsIn(Buffer.from(bytes.subarray(0, bytes.readUInt32LE(8)))), closed);
    for (let bit = 0; bit < 32 * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[begin + (bit >> 3)] = (damaged[begin + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
      const [gap] = gapsIn(damaged);
      assert.deepEqual([gap], closed, `bit ${bit}`);
    }
    const other = checkpointOf([{ gap: gapOf(0, 5), isClosed: true, toldIn: { epoch: 6, seq: 3 } }]);
    bytes.copy(other, begin, begin);
    assert.deepEqual(gapsIn(other)[0]?.toldIn, undefined);
  });
});
