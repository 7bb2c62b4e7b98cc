import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WriteResult } from '../store/store.ts';
import { UnderWay } from './under-way.ts';

const stored: WriteResult = { ok: true, refused: [] };

test('a write is found by host, epoch and sequence until it has ended', async () => {
  const underWay = new UnderWay();
  const { promise, resolve } = Promise.withResolvers<WriteResult>();
  underWay.add('a', 1, 7, promise);
  assert.equal(underWay.find('a', 1, 7), promise);
  for (const [host, epoch, seq] of [
    ['b', 1, 7],
    ['a', 2, 7],
    ['a', 1, 8],
  ] as const)
    assert.equal(underWay.find(host, epoch, seq), undefined);
  resolve(stored);
  await promise;
  assert.equal(underWay.find('a', 1, 7), undefined);
  assert.equal(underWay.size, 0);
});

test('a write that ends with an exception is forgotten as well', async () => {
  const underWay = new UnderWay();
  const failing = Promise.reject<WriteResult>(new Error('scripted'));
  underWay.add('a', 1, 7, failing);
  await failing.catch(() => undefined);
  assert.equal(underWay.size, 0);
});

test('the end of a write does not forget a later one of the same name, nor another of its host', async () => {
  const underWay = new UnderWay();
  const first = Promise.withResolvers<WriteResult>();
  const second = Promise.withResolvers<WriteResult>();
  underWay.add('a', 1, 7, first.promise);
  underWay.add('a', 1, 7, second.promise);
  underWay.add('a', 1, 8, second.promise);
  first.resolve(stored);
  await first.promise;
  assert.equal(underWay.find('a', 1, 7), second.promise);
  assert.equal(underWay.size, 2);
});
