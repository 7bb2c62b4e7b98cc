import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountOf, complaintsOf, type OwnAccount } from './own-account.ts';

const sums = { durable: 100, stored: 90, storedFromMemory: 0, refused: 7, gap: 3 };
const account: OwnAccount = { produced: 100, stored: 90, refused: 7, gap: 3, queued: 0 };

test('an account that agrees with what was found is no complaint; each figure that does not is one', () => {
  assert.deepEqual(complaintsOf('a', sums, account, true), []);
  for (const name of ['produced', 'stored', 'refused', 'gap', 'queued'] as const)
    assert.ok(complaintsOf('a', sums, { ...account, [name]: account[name] + 1 }, true).length > 0, name);
  assert.equal(complaintsOf('a', sums, undefined, true).length, 1);
});

test('who had samples in memory only must still add up, and not claim more than is stored', () => {
  const lost = { ...account, produced: 120, stored: 110 };
  assert.deepEqual(complaintsOf('a', { ...sums, storedFromMemory: 30 }, lost, false), []);
  assert.equal(complaintsOf('a', { ...sums, storedFromMemory: 10 }, lost, false).length, 1);
  assert.equal(complaintsOf('a', { ...sums, storedFromMemory: 30 }, { ...lost, produced: 121 }, false).length, 1);
});

test('an account is read off the page of figures, whole or not at all', () => {
  const names = ['produced', 'stored', 'refused', 'gap', 'queued'] as const;
  const figures = new Map(
    names.map((name) => [`thrum_agent_samples_${name}${name === 'queued' ? '' : '_total'}`, account[name]]),
  );
  assert.deepEqual(accountOf(figures), account);
  figures.delete('thrum_agent_samples_gap_total');
  assert.equal(accountOf(figures), undefined);
});
