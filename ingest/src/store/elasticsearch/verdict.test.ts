import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeBulk, judgeItem, type ItemResult, type Verdict } from './verdict.ts';

const stored: Verdict = { kind: 'stored', duplicate: false };
const duplicate: Verdict = { kind: 'stored', duplicate: true };
const again = (why: 'busy' | 'no-index' | 'forbidden' | 'failed', uncertain: boolean): Verdict => ({
  kind: 'again',
  why,
  uncertain,
});

const table: [string, ItemResult, boolean, Verdict][] = [
  ['201', { status: 201 }, false, stored],
  ['200', { status: 200 }, true, stored],
  ['409 on a resend', { status: 409 }, true, duplicate],
  ['429', { status: 429 }, false, again('busy', false)],
  ['404 because its index is missing', { status: 404 }, false, again('no-index', false)],
  ['401', { status: 401 }, false, again('forbidden', false)],
  ['403', { status: 403 }, false, again('forbidden', false)],
  ['500', { status: 500 }, false, again('failed', true)],
  ['502', { status: 502 }, false, again('failed', true)],
  ['503', { status: 503 }, false, again('failed', true)],
  ['504', { status: 504 }, true, again('failed', true)],
];

for (const [name, result, maybeWritten, expected] of table)
  test(`a document answered ${name} is ${expected.kind}`, () => {
    assert.deepEqual(judgeItem(result, maybeWritten), expected);
  });

test('a document answered 409 on its first attempt is looked into, by its _id', () => {
  assert.deepEqual(judgeItem({ _id: 'abc', status: 409 }, false), { kind: 'collided', id: 'abc' });
});

test('a document answered 400 is refused with the reason of the server, cut to a readable length', () => {
  const verdict = judgeItem(
    { status: 400, error: { type: 'document_parsing_exception', reason: 'x'.repeat(5000) } },
    true,
  );
  assert.equal(verdict.kind, 'refused');
  assert.match(verdict.detail, /^document_parsing_exception: x+$/);
  assert.equal(verdict.detail.length, 300);
});

test('a bulk answered as a whole is split when a document is to blame and sent again otherwise', () => {
  assert.deepEqual([400, 413].map(judgeBulk), ['split', 'split']);
  assert.deepEqual([401, 403, 404, 429].map(judgeBulk), ['again', 'again', 'again', 'again']);
  assert.deepEqual([500, 503].map(judgeBulk), ['again-uncertain', 'again-uncertain']);
});
