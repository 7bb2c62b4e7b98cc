import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMemoryQueue } from '../queue/memory-queue.ts';
import type { QueuedBatch } from '../queue/queue.ts';
import { createDelivery, type Delivery } from './delivery.ts';

/** What is of epoch 1 was in the queue before. */
const begin = { epoch: 2, seq: -1 };
const batch = (seq: number, epoch = 1): QueuedBatch => ({
  epoch,
  seq,
  timeMs: seq,
  dictionary: 'd',
  kind: 'batch',
  samples: 1,
  bytes: new Uint8Array(1),
});

/** Takes the next page of a backlog out of a list, as the actor does out of the queue. */
const page = (delivery: Delivery, queue: readonly QueuedBatch[], nowMs: number): number[] => {
  const wanted = delivery.backlog(nowMs);
  if (!wanted) return [];
  const read = queue.filter(({ seq }) => !wanted.after || seq > wanted.after.seq).slice(0, wanted.room);
  const taken = delivery.takeBacklog(wanted.after, read);
  for (const one of taken) delivery.sent(one, nowMs);
  return taken.map(({ seq }) => seq);
};
const live = (delivery: Delivery, nowMs: number): number | undefined => {
  const taken = delivery.takeLive(nowMs);
  if (taken) delivery.sent(taken, nowMs);
  return taken?.seq;
};

describe('delivery', () => {
  it('sends a new batch at once while the backlog goes out oldest first', () => {
    const delivery = createDelivery(begin);
    const queue = Array.from({ length: 40 }, (_, seq) => batch(seq));
    delivery.opened({ window: 8, protocol: 3 });
    assert.deepEqual(page(delivery, queue, 0), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(page(delivery, queue, 0), [], 'a quarter of the window is left for what is new');
    delivery.offer(batch(40), 0);
    assert.equal(live(delivery, 0), 40);
    delivery.acknowledged(1, [[0, 2]]);
    assert.deepEqual(page(delivery, queue.slice(3), 0), [6, 7]);
  });

  it('keeps to the window, and goes on as soon as there is room', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 2, protocol: 3 });
    for (const seq of [0, 1, 2]) delivery.offer(batch(seq), 0);
    assert.deepEqual([live(delivery, 0), live(delivery, 0), live(delivery, 0)], [0, 1, undefined]);
    delivery.acknowledged(1, [[1, 1]]);
    assert.equal(live(delivery, 0), 2);
  });

  it('sends nothing without a connection, and after one the newest few live and the rest as backlog', () => {
    const delivery = createDelivery(begin);
    const queue = Array.from({ length: 30 }, (_, seq) => batch(seq));
    for (const one of queue) delivery.offer(one, one.seq * 1000);
    assert.equal(live(delivery, 30_000), undefined);
    assert.equal(delivery.backlog(30_000), undefined);
    delivery.opened({ window: 64, protocol: 3 });
    const first: (number | undefined)[] = [];
    for (let seq = live(delivery, 30_000); seq !== undefined; seq = live(delivery, 30_000)) first.push(seq);
    assert.deepEqual(first, [20, 21, 22, 23, 24, 25, 26, 27, 28, 29], 'those of the last ten seconds');
    assert.deepEqual(
      page(delivery, queue, 30_000),
      Array.from({ length: 20 }, (_, seq) => seq),
    );
  });

  it('keeps a busy batch, sends new ones meanwhile, and meets it again when its time has come', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    const queue = [batch(0)];
    delivery.offer(batch(0), 0);
    assert.equal(live(delivery, 0), 0);
    assert.deepEqual(page(delivery, queue, 0), []);
    delivery.busy(batch(0), 500, 100);
    assert.equal(delivery.inFlight(), 0);
    assert.equal(delivery.backlog(599), undefined);
    delivery.offer(batch(1), 200);
    assert.equal(live(delivery, 200), 1);
    assert.deepEqual(page(delivery, [batch(0), batch(1)], 600), [0]);
  });

  it('takes a batch without an answer out of the window after 8 s and sends it again', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    delivery.offer(batch(0), 0);
    live(delivery, 0);
    page(delivery, [], 0);
    assert.equal(delivery.expire(7999), 0);
    assert.equal(delivery.expire(8000), 1);
    assert.deepEqual(page(delivery, [batch(0)], 10_000), [0]);
  });

  it('begins again with everything unacknowledged after a new connection', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    const queue = [batch(0), batch(1), batch(2)];
    assert.deepEqual(page(delivery, queue, 0), [0, 1, 2]);
    delivery.closed();
    assert.equal(delivery.backlog(0), undefined);
    delivery.opened({ window: 8, protocol: 3 });
    assert.deepEqual(page(delivery, queue, 0), [0, 1, 2]);
  });

  it('does not skip what became busy while the queue was being read', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    delivery.offer(batch(0), 0);
    live(delivery, 0);
    page(delivery, [batch(0)], 0);
    const wanted = delivery.backlog(0);
    assert.ok(wanted);
    delivery.busy(batch(0), 0, 0);
    assert.deepEqual(delivery.takeBacklog(wanted.after, []), []);
    assert.deepEqual(page(delivery, [batch(0)], 1), [0]);
  });

  it('sends of the backlog no more than the pace, whatever is live, and goes on when it rises', () => {
    const delivery = createDelivery(begin);
    const queue = Array.from({ length: 40 }, (_, seq) => batch(seq));
    delivery.opened({ window: 16, pace: 2, protocol: 3 });
    for (const seq of [40, 41, 42]) delivery.offer(batch(seq), 0);
    assert.deepEqual([live(delivery, 0), live(delivery, 0), live(delivery, 0)], [40, 41, 42]);
    assert.deepEqual(page(delivery, queue, 0), [0, 1], 'what is live does not count');
    delivery.acknowledged(1, [[0, 0]]);
    assert.deepEqual(page(delivery, queue, 0), [2]);
    delivery.paced(0);
    delivery.acknowledged(1, [[1, 2]]);
    assert.deepEqual(page(delivery, queue, 0), []);
    delivery.offer(batch(43), 0);
    assert.equal(live(delivery, 0), 43, 'what is new goes on');
    delivery.paced(3);
    assert.deepEqual(page(delivery, queue, 0), [3, 4, 5]);
  });

  it('does not wait out what a busy node said once the node grants more', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 16, pace: 0, protocol: 3 });
    delivery.offer(batch(0), 0);
    assert.equal(live(delivery, 0), 0);
    delivery.busy(batch(0), 60_000, 0);
    assert.deepEqual(page(delivery, [batch(0)], 1000), []);
    delivery.paced(4);
    assert.deepEqual(page(delivery, [batch(0)], 1000), [0]);
  });

  it('skips events at a node that takes none, and meets them again at the next', () => {
    const delivery = createDelivery(begin);
    const queue = [{ ...batch(0), kind: 'events' as const }, batch(1), { ...batch(2), kind: 'events' as const }];
    delivery.opened({ window: 8, protocol: 2 });
    assert.deepEqual(page(delivery, queue, 0), [1]);
    assert.deepEqual(page(delivery, queue, 0), []);
    delivery.closed();
    delivery.opened({ window: 8, protocol: 3 });
    assert.deepEqual(page(delivery, queue, 0), [0, 1, 2]);
  });

  it('sends new events behind what waits, though the backlog was done', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    assert.deepEqual(page(delivery, [], 0), []);
    const event = { ...batch(0, 2), kind: 'events' as const };
    delivery.offer(event, 0);
    assert.equal(live(delivery, 0), undefined);
    assert.deepEqual(page(delivery, [event], 0), [0]);
  });

  it('looks again now and then at a backlog that seemed to be done, for the queue may not have been able to read', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    assert.deepEqual(page(delivery, [], 0), []);
    assert.deepEqual(page(delivery, [batch(0)], 4000), []);
    assert.deepEqual(page(delivery, [batch(0)], 5000), [0]);
  });

  it('sends nothing that is not known to be safe, though the queue shows it', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    const queue = [batch(9, 1), batch(0, 2), batch(1, 2)];
    assert.deepEqual(page(delivery, queue, 0), [9], 'of an earlier start: it is on disk');
    delivery.offer(batch(0, 2), 0);
    assert.equal(live(delivery, 0), 0);
    assert.deepEqual(page(delivery, queue, 0), []);
  });

  it('leaves a quarter of the window to what is new, and at least one place to the backlog', () => {
    const delivery = createDelivery(begin);
    const queue = Array.from({ length: 40 }, (_, seq) => batch(seq));
    delivery.opened({ window: 8, pace: 1000, protocol: 3 });
    for (let seq = 40; seq < 47; seq += 1) {
      delivery.offer(batch(seq), 0);
      live(delivery, 0);
    }
    assert.deepEqual(page(delivery, queue, 0), [0]);
    assert.equal(delivery.inFlight(), 8);
  });

  it('ignores answers about what is not on the way', () => {
    const delivery = createDelivery(begin);
    delivery.opened({ window: 8, protocol: 3 });
    delivery.busy(batch(7), 600_000, 0);
    delivery.acknowledged(1, [[0, Number.MAX_SAFE_INTEGER]]);
    delivery.offer(batch(8), 0);
    assert.equal(live(delivery, 0), 8);
    delivery.acknowledged(2, [[0, Number.MAX_SAFE_INTEGER]]);
    assert.equal(delivery.inFlight(), 1);
  });

  it('delivers everything once faults are over, whatever happened, and never overruns the window', async () => {
    const action = fc.oneof(
      fc.constant('offer' as const),
      fc.constant('ack' as const),
      fc.constant('busy' as const),
      fc.constant('lose' as const),
      fc.constant('silence' as const),
      fc.constant('tick' as const),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 150 }),
        fc.integer({ min: 1, max: 20 }),
        async (script, window) => {
          const queue = createMemoryQueue({ maxBytes: 1e7 });
          const delivery = createDelivery(begin);
          const flying: QueuedBatch[] = [];
          let nowMs = 0;
          let seq = 0;
          const pump = async (): Promise<void> => {
            delivery.expire(nowMs);
            for (let one = delivery.takeLive(nowMs); one; one = delivery.takeLive(nowMs)) {
              delivery.sent(one, nowMs);
              flying.push(one);
            }
            for (let wanted = delivery.backlog(nowMs); wanted; wanted = delivery.backlog(nowMs)) {
              const read = await queue.read(wanted.after, { maxBatches: wanted.room, maxBytes: 1e6 });
              for (const one of delivery.takeBacklog(wanted.after, read)) {
                delivery.sent(one, nowMs);
                flying.push(one);
              }
            }
            assert.ok(delivery.inFlight() <= window);
          };
          const answer = async (how: 'ack' | 'busy' | 'silence'): Promise<void> => {
            const one = flying.shift();
            if (!one || how === 'silence') return;
            if (how === 'busy') return delivery.busy(one, 700, nowMs);
            delivery.acknowledged(one.epoch, [[one.seq, one.seq]]);
            queue.ack(one.epoch, [[one.seq, one.seq]]);
            await pump();
          };
          delivery.opened({ window, protocol: 3 });
          for (const what of script) {
            if (what === 'offer') {
              await queue.append(batch(seq), { hash: 'd', targets: [] });
              delivery.offer(batch(seq), nowMs);
              seq += 1;
            } else if (what === 'lose') {
              delivery.closed();
              flying.length = 0;
              delivery.opened({ window, protocol: 3 });
            } else if (what === 'tick') nowMs += 3000;
            else await answer(what);
            await pump();
          }
          for (let i = 0; i < 400 && queue.size().batches > 0; i += 1) {
            nowMs += 3000;
            await pump();
            await answer('ack');
          }
          assert.equal(queue.size().batches, 0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
