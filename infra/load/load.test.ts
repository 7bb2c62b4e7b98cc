import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch } from '@thrum/actors/wire/batch';
import { dictionarySchema } from '@thrum/actors/wire/agent-to-ingest';
import { checkDictionary, dictionaryOf } from '@thrum/actors/wire/dictionary';
import { isHostId } from '@thrum/actors/wire/host-id';
import { BatchSlots } from './batch-slots.ts';
import { simulatedCatalogue } from './catalogue.ts';
import { Delivery } from './delivery.ts';
import { hostIdOf } from './fleet.ts';
import { Latencies } from './latency.ts';
import { behaviorOf, Signals } from './signals.ts';

const dictionary = dictionaryOf(simulatedCatalogue(7, 100));

test('the simulated catalogue is one that ingest takes', () => {
  assert.deepEqual(checkDictionary(dictionary.targets), { ok: true });
  assert.equal(dictionarySchema.safeParse(dictionary).success, true);
  assert.deepEqual([dictionary.targets.length, dictionary.targets[6]?.metrics.length], [7, 100]);
});

test('a batch made by writing over another is, byte for byte, the one the wire would encode', () => {
  const signals = new Signals(100, 7, 5);
  const slots = new BatchSlots(dictionary, 77, 'simulated');
  slots.give(slots.take(1, 1000, signals.values)); // a slot that was used before
  signals.advance();
  const { bytes } = slots.take(42, 1_763_800_000_123, signals.values);
  const samples = dictionary.targets.map((_, target) => ({
    target,
    fields: ['simulated'],
    timeMs: 1_763_800_000_123,
    values: signals.values.subarray(target * 100, target * 100 + 100),
  }));
  assert.deepEqual(new Uint8Array(bytes), encodeBatch(dictionary, 77, 42, samples).bytes);
  const decoded = decodeBatch(bytes, dictionary);
  assert.ok(decoded.ok);
  assert.deepEqual([decoded.batch.seq, decoded.batch.epoch, decoded.batch.badValues], [42, 77, 0]);
  assert.deepEqual(decoded.batch.values, signals.values);
  assert.equal(slots.made, 1);
});

test('a slot in use is not handed out again', () => {
  const slots = new BatchSlots(dictionary, 1, 's');
  const values = new Float64Array(700);
  const first = slots.take(1, 1, values);
  assert.notEqual(slots.take(2, 2, values).bytes, first.bytes);
});

test('signals are what the catalogue says: constants stay, counters grow and are whole, levels stay between 0 and 100', () => {
  const signals = new Signals(100, 2, 9);
  let before = signals.values.slice();
  const first = before;
  for (let tick = 0; tick < 500; tick += 1) {
    signals.advance();
    signals.values.forEach((value, i) => {
      const was = before[i] as number;
      const behavior = behaviorOf(i % 100);
      if (behavior === 'constant') assert.equal(value, was);
      else if (behavior === 'counter') assert.ok(Number.isSafeInteger(value) && value >= was);
      else assert.ok(value >= 0 && value <= 100 && Math.abs(value - was) <= 1.01, `${was} to ${value}`);
    });
    before = signals.values.slice();
  }
  const moved = before.filter((value, i) => value !== first[i]).length;
  assert.equal(moved, 160); // everything but the constants
});

test('the same seed gives the same signals, another one others', () => {
  const of = (seed: number): Float64Array => {
    const signals = new Signals(100, 1, seed);
    for (let i = 0; i < 10; i += 1) signals.advance();
    return signals.values;
  };
  assert.deepEqual(of(3), of(3));
  assert.notDeepEqual(of(3), of(4));
});

test('hosts have valid ids that do not repeat and stay the same', () => {
  const ids = Array.from({ length: 1000 }, (_, i) => hostIdOf(i));
  assert.ok(ids.every(isHostId));
  assert.equal(new Set(ids).size, 1000);
  assert.equal(hostIdOf(7), ids[7]);
});

/** Sends the next batch at `timeMs`; `item` is what is kept of it. */
const send = (delivery: Delivery<string>, item: string, first = true, timeMs = 10): void =>
  delivery.sent({ seq: delivery.nextSeq(), timeMs, item }, timeMs, first);

test('a delivery says when the window is full, and what was measured without a connection waits as its number', () => {
  const delivery = new Delivery<string>();
  assert.equal(delivery.hasRoom, false); // no welcome yet
  delivery.welcomed(2);
  for (const item of ['a', 'b']) send(delivery, item);
  assert.equal(delivery.hasRoom, false);
  assert.deepEqual(delivery.acknowledged(0), { item: 'a', sentMs: 10, first: true });
  assert.equal(delivery.acknowledged(0), undefined); // an acknowledgement may repeat
  assert.equal(delivery.hasRoom, true);
  delivery.lost();
  for (let i = 0; i < 99_999; i += 1) assert.ok(delivery.waits(1000 + i));
  assert.equal(delivery.waits(9), false);
  assert.equal(delivery.unacknowledged, 100_000);
  delivery.welcomed(2);
  assert.deepEqual(delivery.takeDue(0)?.item, 'b');
  assert.deepEqual(delivery.takeDue(0), { seq: 2, timeMs: 1000, item: undefined, dueMs: 0 });
});

test('a batch answered with busy leaves the window, is kept as its number alone, and comes again after its time', () => {
  const delivery = new Delivery<string>();
  delivery.welcomed(1);
  send(delivery, 'a', true, 7);
  assert.deepEqual(delivery.busy(0, 500), { item: 'a' });
  assert.equal(delivery.busy(9, 500), undefined);
  assert.deepEqual([delivery.hasRoom, delivery.unacknowledged, delivery.nextDueMs], [true, 1, 500]);
  assert.equal(delivery.takeDue(499), undefined);
  assert.deepEqual(delivery.takeDue(500), { seq: 0, timeMs: 7, item: undefined, dueMs: 500 });
});

test('after a loss everything without an answer is due again, oldest first, and an old acknowledgement still counts', () => {
  const delivery = new Delivery<string>();
  delivery.welcomed(4);
  for (const item of ['a', 'b', 'c']) send(delivery, item);
  delivery.busy(1, 9999);
  delivery.lost();
  assert.deepEqual([delivery.hasRoom, delivery.inFlight, delivery.unacknowledged], [false, 0, 3]);
  assert.deepEqual(delivery.acknowledged(0), { item: 'a', sentMs: 0, first: false });
  delivery.welcomed(4);
  assert.equal(delivery.takeDue(0)?.item, 'c'); // b is still busy
  assert.equal(delivery.takeDue(9999)?.seq, 1);
});

test('what was on the way when a connection was lost comes again as it was, also after a busy: somebody may have it', () => {
  const delivery = new Delivery<string>();
  delivery.welcomed(4);
  send(delivery, 'a');
  delivery.lost();
  delivery.welcomed(4);
  for (let i = 0; i < 2; i += 1) {
    const due = delivery.takeDue(0);
    assert.equal(due?.item, 'a');
    delivery.sent({ seq: 0, timeMs: 10, item: 'a' }, 0, false, true);
    assert.deepEqual(delivery.busy(0, 0), { item: undefined }, 'its slot is given to nobody');
  }
});

test('of a backlog no more is on the way than the pace allows, whatever the window takes', () => {
  const delivery = new Delivery<string>();
  delivery.welcomed(8, 2);
  send(delivery, 'new');
  send(delivery, 'old', false);
  assert.equal(delivery.hasRoomForBacklog, true);
  send(delivery, 'old', false);
  assert.deepEqual([delivery.hasRoomForBacklog, delivery.hasRoom], [false, true]);
  delivery.acknowledged(1);
  assert.equal(delivery.hasRoomForBacklog, true);
  delivery.paced(0);
  assert.equal(delivery.hasRoomForBacklog, false);
  delivery.lost();
  delivery.welcomed(8);
  assert.equal(delivery.hasRoomForBacklog, true, 'a node that says nothing takes a window of it');
});

test('quantiles are right within two percent', () => {
  const latencies = new Latencies();
  assert.ok(Number.isNaN(latencies.quantileMs(0.5)));
  for (let i = 1; i <= 1000; i += 1) latencies.add(i);
  for (const q of [0.01, 0.5, 0.95, 0.99, 1]) {
    const found = latencies.quantileMs(q);
    assert.ok(Math.abs(found - q * 1000) <= q * 1000 * 0.021, `${q}: ${found}`);
  }
  latencies.add(0);
  latencies.add(10_000_000);
  assert.equal(latencies.quantileMs(0), 0.01);
  latencies.clear();
  assert.equal(latencies.count, 0);
});
