/** Which indices are deleted, by the clock of the node and by what the store holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@thrum/actors/system/log';
import { dayIndexPattern, endOfDayIndex, isDayOutdated } from './day-index.ts';
import { createIndices, type IndexKind } from './indices.ts';
import { isMonthOutdated, monthIndexPattern, readMonthIndexName } from './month-index.ts';

const days: IndexKind = {
  ...{ template: 'days', pattern: dayIndexPattern('thrum'), define: () => undefined },
  newestMs: (name) => endOfDayIndex('thrum', name),
  isOutdated: (name, nowMs) => isDayOutdated('thrum', name, nowMs, 5),
};
const months: IndexKind = {
  ...{ template: 'months', pattern: monthIndexPattern('thrum', 'events'), define: () => undefined },
  isOutdated: (name, nowMs) => isMonthOutdated(readMonthIndexName('thrum', 'events', name) ?? 0, nowMs, 400),
};
const held = ['thrum-1s-cpu-2026.11.10', 'thrum-1s-cpu-2026.11.21', 'thrum-1s-cpu-2026.11.22', 'thrum-events-2026.11'];

const deletedAt = async (nowMs: number, names = held): Promise<{ deleted: string[]; said: string[] }> => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void said.push(message) };
  const rows = (path: string): object[] =>
    names.filter((name) => path.includes('1s') === name.includes('1s')).map((index) => ({ index }));
  const client = {
    request: ({ path, method }: { path: string; method: string }) =>
      Promise.resolve({ ok: true as const, status: 200, body: method === 'GET' ? rows(path) : {} }),
  };
  const indices = createIndices({ client, kinds: [days, months], log });
  return { deleted: await indices.deleteOutdated(nowMs), said };
};

test('a day older than what is kept is deleted', async () => {
  const right = await deletedAt(Date.UTC(2026, 10, 22, 12));
  assert.deepEqual(right, { deleted: ['thrum-1s-cpu-2026.11.10'], said: [] });
});

test('a clock that is years ahead deletes only what is outdated by the newest day too, and it is said', async () => {
  const wrong = await deletedAt(Date.UTC(2031, 0, 1));
  assert.deepEqual(wrong.deleted, ['thrum-1s-cpu-2026.11.10']);
  assert.match(wrong.said.join(), /more than a day apart/);
});

test('a clock that is behind deletes nothing that is kept by it', async () => {
  assert.deepEqual((await deletedAt(Date.UTC(2026, 10, 12))).deleted, []);
});

test('a store without samples deletes nothing', async () => {
  assert.deepEqual((await deletedAt(Date.UTC(2031, 0, 1), ['thrum-events-2026.11'])).deleted, []);
});
