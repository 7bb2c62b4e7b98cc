import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposition } from './exposition.ts';

test('counters and counts by code become Prometheus text', () => {
  const text = exposition(
    'ingest',
    [{ part: 'intake', values: { batchBytes: 5, valuesBad: Number.NaN } }],
    [{ part: 'intake', name: 'refused', label: 'code', values: new Map([['bad-token', 2]]) }],
  );
  assert.equal(
    text,
    [
      '# TYPE thrum_ingest_intake_batch_bytes untyped',
      'thrum_ingest_intake_batch_bytes 5',
      '# TYPE thrum_ingest_intake_values_bad untyped',
      'thrum_ingest_intake_values_bad NaN',
      '# TYPE thrum_ingest_intake_refused untyped',
      'thrum_ingest_intake_refused{code="bad-token"} 2',
      '',
    ].join('\n'),
  );
});

test('a counter that carries the name of its part already does not get it twice', () => {
  const text = exposition('ingest', [{ part: 'store', values: { store_held_bytes: 1, stored: 2 } }]);
  assert.match(text, /^thrum_ingest_store_held_bytes 1$/m);
  assert.match(text, /^thrum_ingest_store_stored 2$/m);
});

test('counters are Prometheus text, one part after another', () => {
  const text = exposition('web', [
    { part: undefined, values: { web_tabs: 2 } },
    { part: 'link', values: { linksUp: 3 } },
  ]);
  assert.equal(
    text,
    '# TYPE thrum_web_tabs untyped\nthrum_web_tabs 2\n# TYPE thrum_web_link_links_up untyped\nthrum_web_link_links_up 3\n',
  );
});

test('a counter whose name has other signs makes a line that can be read', () => {
  const text = exposition('web', [{ part: 'presence', values: { 'refused not-accepted': 1 } }]);
  assert.match(text, /^thrum_web_presence_refused_not_accepted 1$/m);
});
