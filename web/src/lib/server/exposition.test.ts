import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposition } from './exposition.ts';

test('counters are Prometheus text, one part after another', () => {
  const text = exposition([
    { part: undefined, values: { web_tabs: 2 } },
    { part: 'link', values: { linksUp: 3 } },
  ]);
  assert.equal(
    text,
    '# TYPE thrum_web_tabs untyped\nthrum_web_tabs 2\n# TYPE thrum_web_link_links_up untyped\nthrum_web_link_links_up 3\n',
  );
});
