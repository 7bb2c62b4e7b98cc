import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { dashboardLines, listenForSetUp, makeSetUpToken, parseSetUpLine, setUpLink } from './set-up-link.ts';

test('a token is new every time and has 256 bits', () => {
  assert.notEqual(makeSetUpToken(), makeSetUpToken());
  assert.equal(Buffer.from(makeSetUpToken(), 'base64url').length, 32);
});

test('only the line of a web node says whether set-up is needed', () => {
  assert.equal(parseSetUpLine('{"setUp":"needed"}'), 'needed');
  assert.equal(parseSetUpLine('{"setUp":"done"}'), 'done');
  for (const line of ['', 'x', '{"setUp":"perhaps"}', '{"ready":"web"}', '{"setUp":"needed"} '])
    assert.equal(parseSetUpLine(line), undefined);
});

test('the link is printed while nobody was set up, and never when somebody was', () => {
  const url = 'http://localhost:7070';
  assert.equal(setUpLink(url, 'secret'), 'http://localhost:7070/set-up#secret');
  assert.match(
    dashboardLines(url, 'secret', 'needed').join('\n'),
    /Dashboard +http:\/\/localhost:7070\/set-up#secret\n/,
  );
  for (const need of ['done', undefined] as const) {
    const text = dashboardLines(url, 'secret', need).join('\n');
    assert.match(text, /Dashboard +http:\/\/localhost:7070\/(\n|$)/);
    assert.ok(!text.includes('secret'));
  }
});

test('a launcher waits for the word of the store, but not for ever', async () => {
  const clock = fakeClock();
  const first = listenForSetUp(clock);
  const waiting = first.known(5000);
  clock.advance(5000);
  assert.equal(await waiting, undefined);
  const heard: string[] = [];
  first.onKnown((need) => heard.push(need));
  first.hear('anything');
  first.hear('{"setUp":"needed"}');
  first.hear('{"setUp":"needed"}');
  assert.deepEqual([heard, first.need(), await first.known(1)], [['needed'], 'needed', 'needed']);
  first.hear('{"setUp":"done"}');
  first.hear('{"setUp":"needed"}');
  assert.equal(first.need(), 'done');
});
