import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from '../rules.ts';
import { judgeBulk, judgeItem, type ItemResult, type Verdict } from './verdict.ts';

const again = (why: 'busy' | 'no-index' | 'forbidden' | 'failed'): Verdict => ({ kind: 'again', why });

const table: [string, ItemResult, Verdict][] = [
  ['201', { status: 201 }, { kind: 'stored', duplicate: false }],
  ['200', { status: 200 }, { kind: 'stored', duplicate: false }],
  ['409', { _id: 'abc', status: 409 }, { kind: 'compare', id: 'abc' }],
  ['429', { status: 429 }, again('busy')],
  ['404 because its index is missing', { status: 404 }, again('no-index')],
  ['401', { status: 401 }, again('forbidden')],
  ['403', { status: 403 }, again('forbidden')],
  ['500', { status: 500 }, again('failed')],
  ['502', { status: 502 }, again('failed')],
  ['503', { status: 503 }, again('failed')],
  ['504', { status: 504 }, again('failed')],
  [
    'that its index is closed',
    { status: 400, error: { type: 'index_closed_exception', reason: 'closed' } },
    again('failed'),
  ],
  ['413', { status: 413 }, { kind: 'refused', detail: 'status 413: ' }],
  ['a status that means nothing', { status: 302 }, again('failed')],
];

for (const [name, result, expected] of table)
  test(`a sample answered ${name}: ${expected.kind}`, () => {
    assert.deepEqual(judgeItem(result, 'sample', rules), expected);
  });

test('a dead letter or an event answered 409 is there already: no other can have its name', () => {
  for (const kind of ['letter', 'event'] as const)
    assert.deepEqual(judgeItem({ status: 409 }, kind, rules), { kind: 'stored', duplicate: true });
});

test('a document answered 400 is refused with the reason of the server, cut to a readable length', () => {
  const error = { type: 'document_parsing_exception', reason: 'x'.repeat(5000) };
  const verdict = judgeItem({ status: 400, error }, 'sample', rules);
  assert.equal(verdict.kind, 'refused');
  assert.match(verdict.detail, /^document_parsing_exception: x+$/);
  assert.equal(verdict.detail.length, 300);
});

test('a bulk answered as a whole is split when a document is to blame and sent again otherwise', () => {
  assert.deepEqual([400, 413].map(judgeBulk), ['split', 'split']);
  for (const status of [204, 302, 401, 403, 404, 429, 500, 503]) assert.equal(judgeBulk(status), 'again');
});
