import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Log } from '@thrum/actors/system/log';
import { readBatchHeader, type Sample } from '@thrum/actors/wire/batch';
import { load } from '@thrum/actors/wire/catalogue/load';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { eventsSchema } from '@thrum/actors/wire/events';
import type { QueuedBatch } from './queue/queue.ts';
import { startRecording } from './recording.ts';

const dictionary = dictionaryOf([load]);
const sample = (timeMs: number): Sample => ({ target: 0, fields: [], timeMs, values: [1, 2, 3] });
const event = { kind: 'start', id: 'start-7', timeMs: 5, facts: { clean: true } };

/** A queue whose disk takes records when the test says so. */
const rig = () => {
  const lines: string[] = [];
  const at = (_fields: object, message: string): void => void lines.push(message);
  const log: Log = { debug: at, info: at, warn: at, error: at, child: () => log };
  const appended: { record: QueuedBatch; end: (error?: Error) => void }[] = [];
  const safe: string[] = [];
  const recording = startRecording({
    queue: {
      append: (record) =>
        new Promise((resolve, reject) => {
          appended.push({ record, end: (error) => (error ? reject(error) : resolve()) });
        }),
    },
    ...{ dictionary, epoch: 7, log },
    onSafe: (record) => safe.push(`${record.kind} ${record.seq}`),
  });
  return { lines, appended, safe, recording };
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('recording', () => {
  it('numbers samples and events in one row, as what is sent', async () => {
    const { recording, appended } = rig();
    recording.samples([sample(1000), sample(1000)], 1000);
    void recording.events([event], 5);
    recording.samples([sample(2000)], 2000);
    assert.deepEqual(
      appended.map(({ record: { kind, epoch, seq, timeMs, samples } }) => [kind, epoch, seq, timeMs, samples]),
      [
        ['batch', 7, 0, 1000, 2],
        ['events', 7, 1, 5, 0],
        ['batch', 7, 2, 2000, 1],
      ],
    );
    const [first, second] = appended.map(({ record }) => record.bytes);
    assert.ok(first && second);
    assert.equal(readBatchHeader(first)?.seq, 0);
    assert.deepEqual(eventsSchema.parse(JSON.parse(new TextDecoder().decode(second))), {
      ...{ epoch: 7, seq: 1 },
      events: [event],
    });
    await turn();
  });

  it('offers a record when it is safe and not before, in the order of the numbers, and does not wait for the disk', async () => {
    const { recording, appended, safe } = rig();
    for (const timeMs of [1000, 2000, 3000]) recording.samples([sample(timeMs)], timeMs);
    await turn();
    assert.deepEqual(safe, []);
    appended[1]?.end();
    await turn();
    assert.deepEqual(safe, [], 'not before the one in front of it');
    appended[0]?.end();
    await turn();
    assert.deepEqual(safe, ['batch 0', 'batch 1']);
    appended[2]?.end();
    await recording.settled();
    assert.deepEqual(safe, ['batch 0', 'batch 1', 'batch 2']);
  });

  it('leaves ticks out while the disk hangs, counts them, says so once, and goes on without a hole in the numbers', async () => {
    const { recording, appended, safe, lines } = rig();
    for (let tick = 0; tick < 300; tick += 1) recording.samples([sample(tick)], tick);
    assert.equal(appended.length, 256);
    assert.equal(recording.counters.ticksLost, 44);
    assert.equal(lines.length, 1);
    for (const one of appended) one.end();
    await recording.settled();
    recording.samples([sample(300)], 300);
    assert.equal(appended.at(-1)?.record.seq, 256);
    appended.at(-1)?.end();
    await recording.settled();
    assert.equal(safe.length, 257);
    assert.equal(recording.counters.ticksLost, 44);
  });

  it('bounds what is on its way to the disk in bytes, too', () => {
    const { recording, appended } = rig();
    const large = Array.from({ length: 8000 }, (_, i) => sample(i));
    for (let tick = 0; tick < 100; tick += 1) recording.samples(large, tick);
    const bytes = appended.reduce((sum, { record }) => sum + record.bytes.length, 0);
    assert.ok(bytes < 5 * 1024 * 1024, `${bytes} bytes`);
    assert.equal(appended.length + recording.counters.ticksLost, 100);
  });

  it('counts and tells what the queue does not take, and goes on', async () => {
    const { recording, appended, safe, lines } = rig();
    recording.samples([sample(0)], 0);
    recording.samples([sample(1)], 1);
    const told = recording.events([event], 2).safe;
    appended[0]?.end(new Error('BUG: no'));
    appended[1]?.end();
    appended[2]?.end(new Error('BUG: no'));
    await assert.rejects(told, /BUG/);
    await recording.settled();
    assert.deepEqual(safe, ['batch 1']);
    assert.equal(recording.counters.ticksLost, 1);
    assert.equal(lines.length, 2);
  });
});
