import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch, type Batch, type Sample } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { counter, gauge, target } from '@thrum/actors/wire/schema';
import { HostTable } from './table.ts';
import { maxGapMs, maxTicksPerBatch, Ticks } from './ticks.ts';

const net = target({
  name: 'net',
  title: 'Net',
  sentence: 'For tests.',
  fields: [{ name: 'interface', sentence: 'Which.' }],
  metrics: [counter('bytes', 'bytes', 'Bytes.'), gauge('usage', '%', 'Usage.')],
  charts: [],
});
const dictionary = dictionaryOf([net]);

const batchOf = (samples: readonly Sample[]): Batch => {
  const decoded = decodeBatch(encodeBatch(dictionary, 1, 1, samples).bytes, dictionary);
  assert.ok(decoded.ok);
  return decoded.batch;
};
const one = (timeMs: number, bytes: number | undefined, usage: number | undefined = 5, name = 'eth0'): Sample => ({
  target: 0,
  fields: [name],
  timeMs,
  values: [bytes, usage],
});

const watch = (options: { maxSeries?: number; maxSlots?: number } = {}) => {
  const rows: { timeMs: number; values: number[] }[] = [];
  const table = new HostTable(7, { maxSeries: options.maxSeries ?? 10, maxSlots: options.maxSlots ?? 1000 });
  const ticks = new Ticks(table, (timeMs, values) => rows.push({ timeMs, values: [...values] }));
  const take = (...samples: Sample[]): void => ticks.accept(batchOf(samples));
  return { rows, table, ticks, take };
};
const rates = (rows: readonly { values: number[] }[]): (number | undefined)[] => rows.map((row) => row.values[0]);

test('a counter becomes a rate per second and a gauge stays as it is', () => {
  const { rows, take } = watch();
  take(one(1000, 100, 1));
  take(one(2000, 300, 2));
  take(one(2500, 400, 3));
  assert.deepEqual(rates(rows), [NaN, 200, 200]);
  assert.deepEqual(
    rows.map((row) => row.values[1]),
    [1, 2, 3],
  );
});

test('after a counter was reset there is no rate for one tick, and no spike', () => {
  const { rows, take } = watch();
  for (const [timeMs, bytes] of [
    [1000, 5000],
    [2000, 6000],
    [3000, 10],
    [4000, 110],
  ] as const)
    take(one(timeMs, bytes));
  assert.deepEqual(rates(rows), [NaN, 1000, NaN, 100]);
});

test('over a gap the rate is the average of the gap, and after a long silence there is none', () => {
  const { rows, take } = watch();
  take(one(1000, 0));
  take(one(11_000, 1000));
  take(one(11_001 + maxGapMs, 2000));
  take(one(12_001 + maxGapMs, 2010));
  assert.deepEqual(rates(rows), [NaN, 100, NaN, 10]);
});

test('a missing value costs the rate of its own tick and of the next, not a wrong number', () => {
  const { rows, take } = watch();
  take(one(1000, 0));
  take(one(2000, undefined));
  take(one(3000, 600));
  take(one(4000, 900));
  assert.deepEqual(rates(rows), [NaN, NaN, NaN, 300]);
});

test('a sample that is not newer than the last of its series is left out and changes nothing', () => {
  const { rows, ticks, take } = watch();
  take(one(1000, 0));
  take(one(3000, 200));
  take(one(2000, 100));
  take(one(3000, 999));
  take(one(4000, 300));
  assert.deepEqual(rates(rows), [NaN, 100, 100]);
  assert.equal(ticks.outOfOrder, 2);
});

test('after another start of the agent nothing is compared with what was before', () => {
  const { rows, ticks, take } = watch();
  take(one(5000, 1000));
  ticks.restart();
  take(one(1000, 2000));
  take(one(2000, 2500));
  assert.deepEqual(rates(rows), [NaN, NaN, 500]);
});

test('a batch with several ticks gives one row for each', () => {
  const { rows, take } = watch();
  take(one(1000, 0), one(1000, 0, 5, 'eth1'), one(2000, 10), one(2001, 20, 5, 'eth1'), one(3000, 30));
  assert.deepEqual(
    rows.map((row) => row.timeMs),
    [1000, 2001, 3000],
  );
  assert.deepEqual(rows[1]?.values.slice(0, 1), [10]);
  assert.ok(Number.isNaN(rows[2]?.values[2]), 'eth1 has no value in the third tick');
});

test('a series that comes later gets its slots behind the others, and those that are absent have no value', () => {
  const { rows, table, take } = watch();
  take(one(1000, 0, 1));
  take(one(2000, 0, 2, 'eth1'));
  assert.deepEqual(
    table.described().series.map((series) => series.fields[0]),
    ['eth0', 'eth1'],
  );
  assert.deepEqual(rows[1]?.values, [NaN, NaN, NaN, 2]);
});

test('samples that are not accepted leave no trace, not even a place in the table', () => {
  const { rows, table, ticks } = watch();
  ticks.accept(batchOf([one(1000, 0), one(1000, 0, 5, 'eth1')]), Uint8Array.of(0, 1));
  assert.equal(table.series.length, 1);
  assert.equal(rows.length, 1);
  ticks.accept(batchOf([one(2000, 0)]), Uint8Array.of(0));
  assert.equal(rows.length, 1);
});

test('a full table refuses further series and counts them, the others go on', () => {
  const { rows, table, take } = watch({ maxSeries: 2 });
  take(one(1000, 0), one(1000, 0, 5, 'eth1'), one(1000, 0, 5, 'eth2'));
  assert.equal(table.series.length, 2);
  assert.equal(table.full, 1);
  assert.equal(rows[0]?.values.length, 4);
  const narrow = watch({ maxSlots: 3 });
  narrow.take(one(1000, 0), one(1000, 0, 5, 'eth1'));
  assert.equal(narrow.table.width, 2);
});

test('field values that look alike when joined are different series', () => {
  const two = target({ ...net, name: 'two', fields: ['a', 'b'].map((name) => ({ name, sentence: 'A field.' })) });
  const known = dictionaryOf([two]);
  const samples = [
    { target: 0, fields: ['x:y', 'z'], timeMs: 1000, values: [1, 1] },
    { target: 0, fields: ['x', 'y:z'], timeMs: 1000, values: [2, 2] },
  ];
  const decoded = decodeBatch(encodeBatch(known, 1, 1, samples).bytes, known);
  assert.ok(decoded.ok);
  const table = new HostTable(1, { maxSeries: 10, maxSlots: 100 });
  new Ticks(table, () => undefined).accept(decoded.batch);
  assert.equal(table.series.length, 2);
});

test('a series with as many metrics under other names does not get the slots of the first', () => {
  const renamed = dictionaryOf([
    target({ ...net, metrics: [counter('packets', 'count', 'Packets.'), gauge('usage', '%', 'Usage.')] }),
  ]);
  const decoded = decodeBatch(encodeBatch(renamed, 1, 1, [one(2000, 7)]).bytes, renamed);
  assert.ok(decoded.ok);
  const { rows, table, ticks, take } = watch();
  take(one(1000, 100));
  ticks.accept(decoded.batch);
  assert.deepEqual([rows.length, table.full], [1, 1]);
});

test('the newest values leave out what was not measured for a while: an old number is not shown as one of now', () => {
  const { ticks, take } = watch();
  take(one(1000, 0, 5), one(1000, 0, 6, 'gone'));
  take(one(61_000, 60, 7));
  assert.deepEqual([...ticks.newest(60_000)], [1, 7, NaN, 6]);
  take(one(61_001, 60, 8));
  assert.deepEqual([...ticks.newest(60_000)], [0, 8, NaN, NaN]);
});

test('growing far beyond the first sizes keeps what was known', () => {
  const { rows, take } = watch({ maxSeries: 1000, maxSlots: 10_000 });
  take(one(1000, 100));
  take(...Array.from({ length: 400 }, (_, i) => one(1500, i, i, `if${i}`)));
  take(one(2000, 400));
  const last = rows[2]?.values ?? [];
  assert.equal(last.length, 802);
  assert.equal(last[0], 300);
});

test('a batch adds no more ticks than it may, what is beyond is counted, and the next batch goes on', () => {
  const { rows, ticks, take } = watch();
  const beyond = 3;
  take(...Array.from({ length: maxTicksPerBatch + beyond }, (_, i) => one((i + 1) * 1000, i * 100)));
  assert.equal(rows.length, maxTicksPerBatch);
  assert.equal(ticks.beyondBatch, beyond);
  assert.equal(ticks.timeMs, maxTicksPerBatch * 1000);
  take(one((maxTicksPerBatch + beyond + 1) * 1000, (maxTicksPerBatch + beyond) * 100));
  assert.equal(rows.length, maxTicksPerBatch + 1);
  assert.equal(rows.at(-1)?.values[0], 100, 'the rate over the gap');
});

test('a tick holds nothing of another host, however wide that one is', () => {
  const [wide, narrow] = [watch(), watch()];
  wide.take(...['a', 'b', 'c', 'd'].map((name) => one(1000, 5, 77, name)));
  narrow.take(one(1000, 1, 1), one(2000, 2, 2));
  narrow.take(one(3000, 3, 3), one(3000, 4, undefined, 'eth1'));
  const last = narrow.rows.at(-1)?.values;
  assert.deepEqual(last, [1, 3, NaN, 5]);
  assert.ok(narrow.rows.every(({ values }) => !values.includes(77)));
  wide.take(one(2000, 6, 78, 'a'));
  assert.deepEqual(wide.rows.at(-1)?.values, [1, 78, NaN, NaN, NaN, NaN, NaN, NaN]);
});
