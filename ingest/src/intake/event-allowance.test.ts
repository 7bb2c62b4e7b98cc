import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventAllowance } from './event-allowance.ts';

const limits = { burst: 10, refillPerSecond: 2, maxHosts: 3 };

test('a host tells so many events at once and so many a second after that, another host has its own', () => {
  const allowance = new EventAllowance(limits);
  allowance.took('a', 8, 0);
  assert.equal(allowance.waitMs('a', 2, 0), undefined);
  assert.equal(allowance.waitMs('a', 6, 0), 2_000);
  assert.equal(allowance.waitMs('a', 6, 2_000), undefined);
  assert.equal(allowance.waitMs('b', 10, 0), undefined);
  allowance.took('a', 2, 0);
  assert.equal(allowance.waitMs('a', 1, 0), 1_000, 'never asked to come at once');
  assert.equal(allowance.waitMs('a', 10, 1e9), undefined, 'a bucket is full again some day, and no fuller');
  assert.equal(allowance.waitMs('a', 10, 0), 5_000);
});

test('asking takes nothing: what the store had no room for is not paid', () => {
  const allowance = new EventAllowance(limits);
  for (let i = 0; i < 100; i += 1) assert.equal(allowance.waitMs('a', 10, 0), undefined);
});

test('a message of more events than a bucket holds is taken when it is full', () => {
  const allowance = new EventAllowance(limits);
  assert.equal(allowance.waitMs('a', 64, 0), undefined);
  allowance.took('a', 64, 0);
  assert.equal(allowance.waitMs('a', 64, 0), 5_000);
  assert.equal(allowance.waitMs('a', 64, 5_000), undefined);
});

test('the host that told nothing for longest is forgotten when there are too many hosts', () => {
  const allowance = new EventAllowance(limits);
  for (const host of ['a', 'b', 'c', 'a', 'd']) allowance.took(host, 10, 0);
  assert.equal(allowance.hosts, 3);
  assert.equal(allowance.waitMs('b', 1, 0), undefined);
  assert.notEqual(allowance.waitMs('a', 1, 0), undefined);
});
