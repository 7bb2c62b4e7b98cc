import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noSums } from './ledger.ts';
import { accountOf, complaintsOf, type OwnAccount } from './own-account.ts';

const sums = { ...noSums, durable: 100, stored: 90, refused: 7, gap: 3 };
const exact = { isExact: true, toldMissing: 3 };
const partly = { isExact: false, toldMissing: 3 };
const account: OwnAccount = { produced: 100, stored: 90, refused: 7, gap: 3, queued: 0 };

test('an account that agrees with what was found is no complaint; each figure that does not is one', () => {
  assert.deepEqual(complaintsOf('a', sums, account, exact), []);
  for (const name of ['produced', 'stored', 'refused', 'gap', 'queued'] as const)
    assert.ok(complaintsOf('a', sums, { ...account, [name]: account[name] + 1 }, exact).length > 0, name);
  assert.equal(complaintsOf('a', sums, undefined, exact).length, 1);
});

test('what is stored within a gap may be a gap for its agent, and nothing else may', () => {
  const late = { ...sums, storedInGap: 10 };
  const given = (samples: number): OwnAccount => ({ ...account, stored: 90 - samples, gap: 3 + samples });
  for (const samples of [0, 4, 10])
    assert.deepEqual(complaintsOf('a', late, given(samples), { isExact: true, toldMissing: 3 + samples }), []);
  assert.equal(complaintsOf('a', late, given(11), { isExact: true, toldMissing: 14 }).length, 2);
});

test('gaps that were told are those of the account, also of who had samples in memory only', () => {
  for (const isExact of [true, false])
    assert.equal(complaintsOf('a', sums, account, { isExact, toldMissing: 2 }).length, 1);
});

test('who had samples in memory only must still add up, and not claim more than is stored', () => {
  const lost = { ...account, produced: 120, stored: 110 };
  assert.deepEqual(complaintsOf('a', { ...sums, storedFromMemory: 30 }, lost, partly), []);
  assert.equal(complaintsOf('a', { ...sums, storedFromMemory: 10 }, lost, partly).length, 1);
  assert.equal(complaintsOf('a', { ...sums, storedFromMemory: 30 }, { ...lost, produced: 121 }, partly).length, 1);
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
