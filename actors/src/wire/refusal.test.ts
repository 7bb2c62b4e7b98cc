import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asRefusal, refuse } from './refusal.ts';

test('a refusal of another node is one of the list, with a detail of bounded length', () => {
  assert.deepEqual(asRefusal(refuse('deadline', 'after 5 s')), refuse('deadline', 'after 5 s'));
  assert.deepEqual(asRefusal({ code: 'busy', detail: 7 }), refuse('busy'));
  assert.equal(asRefusal(refuse('busy', 'x'.repeat(10_000)))?.detail.length, 300);
});

test('what is no refusal is none, also a code that every object has', () => {
  for (const value of [undefined, null, 'busy', [], {}, { code: 1 }, { code: 'unheard-of' }, { code: 'toString' }])
    assert.equal(asRefusal(value), undefined);
});
