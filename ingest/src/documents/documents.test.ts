import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentLimits } from '@thrum/actors/wire/documents';
import { refuse } from '@thrum/actors/wire/refusal';
import type { DocumentStore } from '../store/documents.ts';
import { createDocumentsDoor } from './documents.ts';

/** A store in memory that notes what it was asked; `gate` holds its answers back. */
const startDoor = (gate: Promise<void> = Promise.resolve()) => {
  const asked: unknown[][] = [];
  const answer =
    (kind: string) =>
    async (...given: unknown[]) => {
      asked.push([kind, ...given.slice(0, -1)]);
      assert.deepEqual(given.at(-1), { deadlineMs: documentLimits.storeDeadlineMs });
      await gate;
      return refuse('store-away', kind);
    };
  const store: DocumentStore = {
    get: answer('get'),
    put: answer('put'),
    delete: answer('delete'),
    list: answer('list'),
  };
  return { door: createDocumentsDoor(store), asked };
};

test('each kind of question goes to the store with its own deadline', async () => {
  const { door, asked } = startDoor();
  const value = { n: 1 };
  await door.ask({ kind: 'get', collection: 'users', key: 'a' });
  await door.ask({ kind: 'put', collection: 'users', key: 'a', value, ifVersion: null });
  await door.ask({ kind: 'delete', collection: 'users', key: 'a', ifVersion: '1.2' });
  assert.deepEqual(await door.ask({ kind: 'list', collection: 'users' }), refuse('store-away', 'list'));
  assert.deepEqual(asked, [
    ['get', 'users', 'a'],
    ['put', 'users', 'a', value, null],
    ['delete', 'users', 'a', '1.2'],
    ['list', 'users'],
  ]);
});

test('what is no question is refused before the store hears of it, and counted', async () => {
  const { door, asked } = startDoor();
  const put = { kind: 'put', collection: 'users', key: 'a', value: {}, ifVersion: null };
  let nested: unknown = 1;
  for (let i = 0; i < 100_000; i += 1) nested = [nested];
  const bad = [
    undefined,
    null,
    7,
    [],
    {},
    { kind: 'drop', collection: 'users' },
    { kind: 'list', collection: 'Users' },
    { kind: 'list', collection: '../_all' },
    { kind: 'list', collection: 'users', more: 1 },
    { kind: 'get', collection: 'users', key: '' },
    { kind: 'get', collection: 'users', key: 'a\u0000b' },
    { kind: 'get', collection: 'users', key: '\ud800' },
    { kind: 'get', collection: 'users', key: 'x'.repeat(documentLimits.keyChars + 1) },
    { ...put, value: 'text' },
    { ...put, value: [1] },
    { ...put, value: null },
    { ...put, value: { n: Number.NaN } },
    { ...put, value: { bytes: new Uint8Array(3) } },
    { ...put, value: { text: 'x'.repeat(documentLimits.valueBytes) } },
    { ...put, value: { nested } },
    { ...put, ifVersion: 7 },
    { ...put, ifVersion: '' },
    { ...put, ifVersion: 'x'.repeat(100) },
    { kind: 'delete', collection: 'users', key: 'a', ifVersion: null },
  ];
  for (const question of bad) {
    const outcome = (await door.ask(question)) as { ok: boolean; code: string };
    assert.deepEqual([outcome.ok, outcome.code], [false, 'bad-question']);
  }
  assert.deepEqual(asked, []);
  assert.equal(door.counters()['documentsBad'], bad.length);
});

test('beyond the questions that may be under way one more is busy, and later there is room again', async () => {
  let open: () => void = () => undefined;
  const { door } = startDoor(new Promise((resolve) => (open = resolve)));
  const question = { kind: 'list', collection: 'users' };
  const waiting = Array.from({ length: 32 }, () => door.ask(question));
  assert.equal(((await door.ask(question)) as { code: string }).code, 'busy');
  open();
  await Promise.all(waiting);
  assert.equal(((await door.ask(question)) as { code: string }).code, 'store-away');
});
