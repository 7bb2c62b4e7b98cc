import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unseen, whyAt, whyOf } from './known-holes.ts';

const known = [
  { fromMs: 100, toMs: 200, why: 'full' },
  { fromMs: 300, toMs: 310, why: 'killed' },
];

test('a hole has the reason that is known for at least half of it', () => {
  assert.equal(whyOf(known, { fromMs: 90, toMs: 210 }), 'full');
  assert.equal(whyOf(known, { fromMs: 0, toMs: 200 }), 'full');
  assert.equal(whyOf(known, { fromMs: 0, toMs: 201 }), undefined);
  assert.equal(whyOf(known, { fromMs: 200, toMs: 300 }), undefined);
});

test('a moment has the reason of the stretch it lies in', () => {
  assert.equal(whyAt(known, 200), 'full');
  assert.equal(whyAt(known, 250), undefined);
});

test('what is narrower than the distance of the samples is still known', () => {
  assert.deepEqual(unseen(known, [{ fromMs: 90, toMs: 190 }]), [known[1]]);
  assert.deepEqual(unseen(known, []), known);
});
