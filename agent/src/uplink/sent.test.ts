import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SeqRange } from '../queue/queue.ts';
import { createSent } from './sent.ts';

describe('what was sent', () => {
  it('is kept as runs, and of an acknowledgement only these parts are believed', () => {
    const sent = createSent();
    for (const seq of [5, 7, 6, 10]) sent.add({ epoch: 1, seq });
    assert.deepEqual(
      [4, 5, 6, 7, 10].map((seq) => sent.has({ epoch: 1, seq })),
      [false, true, true, true, true],
    );
    assert.deepEqual(sent.within(1, [[0, 100]]), [
      [5, 7],
      [10, 10],
    ]);
    assert.deepEqual(sent.within(2, [[0, 100]]), []);
    assert.deepEqual(sent.within(1, [[8, 9]]), []);
    sent.remove(1, [
      [6, 6],
      [10, 99],
    ]);
    assert.deepEqual(sent.within(1, [[0, 100]]), [
      [5, 5],
      [7, 7],
    ]);
  });

  it('is believed once of an answer that names it thousands of times, without taking long over it', () => {
    const sent = createSent();
    for (let i = 0; i < 1024; i += 1) sent.add({ epoch: 1, seq: i * 2 });
    const ranges = Array.from({ length: 4096 }, (_, i): SeqRange => [i % 7, 1e6 - i]);
    const within = sent.within(1, ranges);
    assert.equal(within.length, 1024);
    assert.deepEqual(
      [within[0], within.at(-1)],
      [
        [0, 0],
        [2046, 2046],
      ],
    );
  });

  it('forgets the oldest runs beyond its bound', () => {
    const sent = createSent();
    for (let seq = 0; seq < 4000; seq += 2) sent.add({ epoch: 1, seq });
    assert.ok(!sent.has({ epoch: 1, seq: 0 }));
    assert.ok(sent.has({ epoch: 1, seq: 3998 }));
  });

  it('holds exactly what a set of numbers would, in whatever order things are sent and acknowledged', () => {
    const step = fc.record({
      ack: fc.boolean(),
      epoch: fc.integer({ min: 1, max: 3 }),
      from: fc.integer({ min: 0, max: 20 }),
      many: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const sent = createSent();
        const simple = new Set<string>();
        for (const { ack, epoch, from, many } of steps) {
          const ranges: SeqRange[] = [[from, from + many]];
          if (ack) sent.remove(epoch, ranges);
          for (let seq = from; seq <= from + many; seq += 1)
            if (ack) simple.delete(`${epoch}/${seq}`);
            else {
              sent.add({ epoch, seq });
              simple.add(`${epoch}/${seq}`);
            }
        }
        for (const epoch of [1, 2, 3]) {
          const named: string[] = [];
          for (const [from, to] of sent.within(epoch, [[0, 99]]))
            for (let seq = from; seq <= to; seq += 1) named.push(`${epoch}/${seq}`);
          assert.deepEqual(
            named,
            [...simple]
              .filter((one) => one.startsWith(`${epoch}/`))
              .sort((a, b) => Number(a.slice(2)) - Number(b.slice(2))),
          );
        }
      }),
    );
  });
});
