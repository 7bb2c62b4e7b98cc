import assert from 'node:assert/strict';
import { test } from 'node:test';
import { letterOf, type DeadLetter } from '../dead-letter.ts';
import { rules } from '../rules.ts';
import { hostA, originOf, requestOf, sample, scenarioCatalogue } from '../store-scenario.ts';
import { createOtherLines } from './other-lines.ts';

const catalogue = new Map(scenarioCatalogue.map((target) => [target.name, target]));
const lines = createOtherLines({ prefix: 'thrum', catalogue, rules });
const at = (text: string): number => Date.parse(text);
const letterAt = (timeMs: number): DeadLetter => {
  const request = requestOf(originOf(hostA, 7), [sample('memory', timeMs, [1, 1])]);
  return letterOf(request, 0, { code: 'too-many-series', detail: '', isTold: false });
};
const lastMoment = at('2026-01-31T23:59:59.900Z');

test('a dead letter that comes again after the end of the month goes where it went before', () => {
  for (const timeMs of [lastMoment - 100, lastMoment + 4000, at('2026-01-29T00:00:00Z'), at('2026-02-10T00:00:00Z')]) {
    const letter = letterAt(timeMs);
    const before = lines.letter(letter, lastMoment);
    const after = lines.letter(letter, at('2026-02-01T00:00:09Z'));
    assert.equal(after.index, before.index, new Date(timeMs).toISOString());
    assert.equal(after.text.split('\n')[0], before.text.split('\n')[0]);
  }
});

test('a host whose clock is years away makes no indices of those years', () => {
  for (const timeMs of [0, at('1999-01-01'), at('2100-01-01'), Number.MAX_SAFE_INTEGER])
    assert.equal(lines.letter(letterAt(timeMs), lastMoment).index, 'thrum-refused-2026.01', String(timeMs));
});
