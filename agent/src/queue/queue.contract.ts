/**
 * What every implementation of the queue does. `open` makes an empty one that gives up records beyond `maxBytes`: the oldest first, some at once.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { dictionaryOf, type Dictionary } from '@thrum/actors/wire/dictionary';
import { load } from '@thrum/actors/wire/catalogue/load';
import { memory } from '@thrum/actors/wire/catalogue/memory';
import type { Account, Gap, Queue, QueuedBatch, SeqRange } from './queue.ts';

const dictionary = dictionaryOf([load]);
const other = dictionaryOf([load, memory]);
const all = { maxBatches: 10_000, maxBytes: 1e9 };

/** A batch whose samples say which one it is. */
const batch = (epoch: number, seq: number, words: Dictionary = dictionary): QueuedBatch => {
  const timeMs = 1_700_000_000_000 + epoch * 1e6 + seq * 1000;
  const { bytes } = encodeBatch(words, epoch, seq, [{ target: 0, fields: [], timeMs, values: [seq, 0, 0] }]);
  return { kind: 'batch', epoch, seq, timeMs, dictionary: words.hash, samples: 1, bytes };
};

const event = (epoch: number, seq: number): QueuedBatch => {
  const events = [{ kind: 'start', id: `start-${epoch}-${seq}`, timeMs: 1_700_000_000_000, facts: {} }];
  const bytes = new TextEncoder().encode(JSON.stringify({ epoch, seq, events }));
  return { kind: 'events', epoch, seq, timeMs: 1_700_000_000_000, dictionary: '', samples: 0, bytes };
};

/** The account, after a look whether it adds up. */
const accountOf = (queue: Queue): Account => {
  const account = queue.account();
  const { produced, stored, refused, gap, queued } = account;
  assert.equal(produced, stored + refused + gap + queued, JSON.stringify(account));
  return account;
};

/** A record that no queue here has. */
const nowhere = { epoch: 1, seq: -1 };

/** All gaps, in the way the agent takes them. */
const takeGaps = async (queue: Queue, batches: number): Promise<Gap[]> => {
  const gaps: Gap[] = [];
  await eventually(() => {
    for (let gap = queue.nextGap(); gap; gap = queue.nextGap()) {
      gaps.push(gap);
      queue.gapIsToldIn(gap.id, nowhere);
    }
    assert.equal(
      gaps.reduce((sum, gap) => sum + gap.batches, 0),
      batches,
    );
  });
  return gaps;
};

const names = async (queue: Queue): Promise<string[]> =>
  (await queue.read(undefined, all)).map(({ epoch, seq }) => `${epoch}/${seq}`);

export const queueContract = (name: string, open: (options: { maxBytes: number }) => Promise<Queue>): void => {
  const filled = async (from: number, to: number, options = { maxBytes: 1e7 }): Promise<Queue> => {
    const queue = await open(options);
    for (let seq = from; seq <= to; seq += 10) {
      const group = Array.from({ length: Math.min(10, to - seq + 1) }, (_, i) => batch(1, seq + i));
      await Promise.all(group.map((one) => queue.append(one, dictionary)));
      accountOf(queue);
    }
    return queue;
  };

  describe(`queue: ${name}`, () => {
    it('gives batches back in their order and byte for byte', async () => {
      const queue = await filled(0, 4);
      const read = await queue.read(undefined, all);
      assert.deepEqual(
        read.map(({ epoch, seq, timeMs, dictionary: hash, bytes }) => ({
          epoch,
          seq,
          timeMs,
          hash,
          bytes: [...bytes],
        })),
        [0, 1, 2, 3, 4].map((seq) => {
          const { epoch, timeMs, dictionary: hash, bytes } = batch(1, seq);
          return { epoch, seq, timeMs, hash, bytes: [...bytes] };
        }),
      );
      await queue.close();
    });

    it('reads behind a position, also one that was acknowledged or never was', async () => {
      const queue = await filled(0, 5);
      queue.ack(1, [[2, 2]]);
      const behind = async (epoch: number, seq: number): Promise<number[]> =>
        (await queue.read({ epoch, seq }, all)).map((one) => one.seq);
      assert.deepEqual(await behind(1, 2), [3, 4, 5]);
      assert.deepEqual(await behind(1, 1), [3, 4, 5]);
      assert.deepEqual(await behind(0, 99), [0, 1, 3, 4, 5]);
      assert.deepEqual(await behind(1, -1), [0, 1, 3, 4, 5]);
      assert.deepEqual(await behind(1, 5), []);
      assert.deepEqual(await behind(2, 0), []);
      await queue.close();
    });

    it('reads no more than both limits, and one batch whatever its size', async () => {
      const queue = await filled(0, 5);
      const size = batch(1, 0).bytes.length;
      const count = async (limit: { maxBatches: number; maxBytes: number }): Promise<number> =>
        (await queue.read(undefined, limit)).length;
      assert.equal(await count({ maxBatches: 2, maxBytes: 1e9 }), 2);
      assert.equal(await count({ maxBatches: 99, maxBytes: size * 3 }), 3);
      assert.equal(await count({ maxBatches: 99, maxBytes: 1 }), 1);
      await queue.close();
    });

    it('lets go of acknowledged ranges only, in any order, repeated, overlapping or absurd', async () => {
      const queue = await filled(0, 9);
      const acks: SeqRange[] = [
        [7, 8],
        [0, 1],
        [1, 2],
        [7, 7],
        [50, 60],
        [6, 4],
      ];
      assert.equal(queue.ack(1, acks), 5);
      assert.deepEqual(await names(queue), ['1/3', '1/4', '1/5', '1/6', '1/9']);
      assert.equal(queue.ack(1, acks), 0);
      assert.equal(queue.ack(2, [[0, Number.MAX_SAFE_INTEGER]]), 0);
      assert.equal(queue.ack(1, [[0, Number.MAX_SAFE_INTEGER]]), 5);
      assert.deepEqual(await names(queue), []);
      await queue.close();
    });

    it('keeps epochs apart: an acknowledgement of one leaves the same numbers of another', async () => {
      const queue = await filled(0, 2);
      for (const seq of [0, 1]) await queue.append(batch(2, seq), dictionary);
      assert.deepEqual(await names(queue), ['1/0', '1/1', '1/2', '2/0', '2/1']);
      queue.ack(2, [[0, 9]]);
      assert.deepEqual(await names(queue), ['1/0', '1/1', '1/2']);
      await queue.close();
    });

    it('refuses a batch that is not behind every batch before', async () => {
      const queue = await filled(3, 5);
      await assert.rejects(queue.append(batch(1, 5), dictionary), /BUG/);
      await assert.rejects(queue.append(batch(0, 9), dictionary), /BUG/);
      assert.equal(queue.size().batches, 3);
      await queue.close();
    });

    it('says how many batches and bytes it holds', async () => {
      const queue = await filled(0, 9);
      const full = queue.size();
      assert.equal(full.batches, 10);
      assert.ok(full.bytes >= 10 * batch(1, 0).bytes.length);
      queue.ack(1, [[0, 8]]);
      assert.equal(queue.size().batches, 1);
      queue.ack(1, [[9, 9]]);
      assert.deepEqual(queue.size(), { batches: 0, bytes: 0, dropped: 0, oldestMs: undefined });
      await queue.close();
    });

    it('gives up the oldest when it is full, counts them, and knows the gap', async () => {
      const queue = await filled(0, 299, { maxBytes: 40_000 });
      const { batches, bytes, dropped } = queue.size();
      assert.ok(bytes <= 40_000 && batches > 0);
      assert.equal(batches + dropped, 300);
      const left = await queue.read(undefined, all);
      assert.equal(left[0]?.seq, dropped);
      assert.equal(left.at(-1)?.seq, 299);
      const [gap, more] = await takeGaps(queue, dropped);
      assert.ok(gap && !more);
      assert.equal(accountOf(queue).gap, dropped);
      assert.deepEqual(
        { ...gap, bytes: 0 },
        {
          id: gap.id,
          epoch: 1,
          firstSeq: 0,
          lastSeq: dropped - 1,
          batches: dropped,
          samples: dropped,
          bytes: 0,
          fromMs: batch(1, 0).timeMs,
          toMs: batch(1, dropped - 1).timeMs,
          reason: 'full',
        },
      );
      assert.equal(queue.nextGap(), undefined);
      await queue.close();
    });

    it('keeps a gap until the record that tells it is acknowledged, however often that record is given up', async () => {
      const queue = await filled(0, 299, { maxBytes: 40_000 });
      await eventually(() => queue.nextGap() !== undefined);
      const gap = queue.nextGap() ?? assert.fail();
      let seq = 300;
      const tellAndBury = async (): Promise<void> => {
        queue.gapIsToldIn(gap.id, { epoch: 1, seq });
        for (const end = seq + 300; seq < end; seq += 1) await queue.append(batch(1, seq), dictionary);
      };
      for (let round = 0; round < 2; round += 1) {
        await tellAndBury();
        await eventually(() => assert.deepEqual(queue.nextGap(), gap));
      }
      await queue.append(batch(1, seq), dictionary);
      queue.gapIsToldIn(gap.id, { epoch: 1, seq });
      assert.equal(await queue.lose({ epoch: 1, seq }, 'unreadable'), true);
      assert.deepEqual(queue.nextGap(), gap);
      seq += 1;
      await queue.append(batch(1, seq), dictionary);
      queue.gapIsToldIn(gap.id, { epoch: 1, seq });
      assert.equal(queue.ack(1, [[seq, seq]]), 1);
      for (let i = 1; i <= 300; i += 1) await queue.append(batch(1, seq + i), dictionary);
      const ids = new Set<string>();
      await eventually(() => {
        for (let one = queue.nextGap(); one; one = queue.nextGap()) {
          ids.add(one.id);
          queue.gapIsToldIn(one.id, nowhere);
        }
        assert.ok(ids.size > 2);
      });
      assert.ok(!ids.has(gap.id));
      await queue.close();
    });

    it('gives out a gap again until a record tells it, and never changes it', async () => {
      const queue = await filled(0, 299, { maxBytes: 40_000 });
      await eventually(() => queue.nextGap() !== undefined);
      const gap = queue.nextGap() ?? assert.fail();
      for (let seq = 300; seq < 500; seq += 1) await queue.append(batch(1, seq), dictionary);
      assert.deepEqual(queue.nextGap(), gap);
      queue.gapIsToldIn('another', nowhere);
      assert.deepEqual(queue.nextGap(), gap);
      queue.gapIsToldIn(gap.id, nowhere);
      const rest = await takeGaps(queue, queue.size().dropped - gap.batches);
      assert.equal(rest[0]?.firstSeq, gap.lastSeq + 1);
      assert.equal(rest.at(-1)?.lastSeq, queue.size().dropped - 1);
      assert.equal(new Set([gap, ...rest].map(({ id }) => id)).size, rest.length + 1);
      await queue.close();
    });

    it('keeps events in the same row, and counts no samples of them', async () => {
      const queue = await open({ maxBytes: 1e7 });
      await queue.append(batch(1, 0), dictionary);
      await queue.append(event(1, 1), undefined);
      await queue.append(batch(1, 2), dictionary);
      const read = await queue.read(undefined, all);
      assert.deepEqual(
        read.map(({ kind, seq, samples, dictionary: hash }) => [kind, seq, samples, hash]),
        [
          ['batch', 0, 1, dictionary.hash],
          ['events', 1, 0, ''],
          ['batch', 2, 1, dictionary.hash],
        ],
      );
      assert.deepEqual([...(read[1]?.bytes ?? [])], [...event(1, 1).bytes]);
      assert.equal(queue.ack(1, [[1, 1]]), 1);
      assert.deepEqual(accountOf(queue), { produced: 2, stored: 0, refused: 0, gap: 0, queued: 2 });
      await queue.close();
    });

    it('counts what was refused of a batch, and never more than it holds', async () => {
      const queue = await filled(0, 4);
      const refused = [
        { seq: 1, samples: 1 },
        { seq: 2, samples: 900 },
        { seq: 77, samples: 5 },
      ];
      assert.equal(queue.ack(1, [[0, 2]], refused), 3);
      assert.deepEqual(accountOf(queue), { produced: 5, stored: 1, refused: 2, gap: 0, queued: 2 });
      assert.equal(queue.ack(1, [[0, 9]], refused), 2);
      assert.deepEqual(accountOf(queue), { produced: 5, stored: 3, refused: 2, gap: 0, queued: 0 });
      await queue.close();
    });

    it('gives up a single record as a gap with its samples, once, and goes on with those around it', async () => {
      const queue = await filled(0, 4);
      assert.equal(await queue.lose({ epoch: 1, seq: 2 }, 'unreadable'), true);
      assert.equal(await queue.lose({ epoch: 1, seq: 2 }, 'unreadable'), false);
      assert.equal(await queue.lose({ epoch: 1, seq: 5 }, 'unreadable'), false);
      assert.equal(await queue.lose({ epoch: 2, seq: 1 }, 'unreadable'), false);
      assert.deepEqual(await names(queue), ['1/0', '1/1', '1/3', '1/4']);
      assert.deepEqual(accountOf(queue), { produced: 5, stored: 0, refused: 0, gap: 1, queued: 4 });
      const [gap] = await takeGaps(queue, 1);
      assert.deepEqual([gap?.firstSeq, gap?.lastSeq, gap?.samples, gap?.reason], [2, 2, 1, 'unreadable']);
      assert.equal(queue.ack(1, [[0, 9]]), 4);
      assert.deepEqual(accountOf(queue), { produced: 5, stored: 4, refused: 0, gap: 1, queued: 0 });
      await queue.close();
    });

    it('does not count acknowledged batches into a gap', async () => {
      const queue = await open({ maxBytes: 40_000 });
      for (let seq = 0; seq < 300; seq += 1) {
        await queue.append(batch(1, seq), dictionary);
        if (seq % 10 === 0) queue.ack(1, [[seq, seq]]);
      }
      const gaps = await takeGaps(queue, queue.size().dropped);
      for (const gap of gaps) for (let seq = gap.firstSeq; seq <= gap.lastSeq; seq += 1) assert.notEqual(seq % 10, 0);
      await queue.close();
    });

    it('keeps a dictionary as long as a batch refers to it', async () => {
      const queue = await open({ maxBytes: 1e7 });
      await queue.append(batch(1, 0), dictionary);
      await queue.append(batch(1, 1, other), other);
      assert.deepEqual(await queue.dictionary(dictionary.hash), dictionary);
      assert.deepEqual(await queue.dictionary(other.hash), other);
      assert.equal(await queue.dictionary('0000000000000000'), undefined);
      await queue.close();
    });

    it('holds the newest after thousands of batches came and went', async () => {
      const queue = await open({ maxBytes: 1e7 });
      for (let seq = 0; seq < 5000; seq += 100) {
        const group = Array.from({ length: 100 }, (_, i) => batch(1, seq + i));
        await Promise.all(group.map((one) => queue.append(one, dictionary)));
        for (const one of group) queue.ack(1, [[one.seq - 3, one.seq - 3]]);
        accountOf(queue);
      }
      assert.deepEqual(await names(queue), ['1/4997', '1/4998', '1/4999']);
      assert.deepEqual(accountOf(queue), { produced: 5000, stored: 4997, refused: 0, gap: 0, queued: 3 });
      await queue.close();
    });
  });
};
