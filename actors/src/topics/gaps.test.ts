/** Publications without a key: whoever missed some is told, and a snapshot taken then leaves nothing missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../testing/fake-clock.ts';
import { Heard } from './heard.ts';
import { Numbers } from './numbers.ts';
import { rules } from './rules.ts';
import { StaleNotices } from './stale-notices.ts';

test('numbers of a topic have no break, and none is given twice to a topic that was forgotten meanwhile', () => {
  const numbers = new Numbers(rules);
  const begin = numbers.at('a');
  assert.deepEqual([numbers.next('a'), numbers.next('a')], [begin + 1, begin + 2]);
  for (let i = 0; i < 10; i += 1) numbers.next('b');
  const last = numbers.at('b');
  numbers.drop('b');
  assert.equal(numbers.size, 1);
  assert.ok(numbers.next('b') > last);
  numbers.drop('a');
  assert.ok(numbers.at('a') > last);
});

test('a number that does not follow is a gap, one that came before is old', () => {
  const heard = new Heard(rules);
  heard.up('n');
  assert.equal(heard.begins('n', 't', 5), true);
  assert.deepEqual(
    [6, 7, 9, 10, 9].map((number) => heard.news('n', 't', number)),
    ['next', 'next', 'gap', 'next', 'old'],
  );
});

test('a gap at the end shows when the publisher says how far it has got, once', () => {
  const heard = new Heard(rules);
  heard.up('n');
  heard.begins('n', 't', 5);
  heard.news('n', 't', 6);
  assert.equal(heard.upTo('n', 't', 6), false);
  assert.equal(heard.upTo('n', 't', 8), true);
  assert.equal(heard.upTo('n', 't', 8), false);
  assert.equal(heard.news('n', 't', 9), 'next');
});

test('a publisher that comes back begins anew: what is known of it may be old', () => {
  const heard = new Heard(rules);
  heard.up('n');
  assert.equal(heard.begins('n', 't', 5), true);
  assert.equal(heard.begins('n', 't', 5), false);
  assert.equal(heard.begins('n', 't', 6), true);
  assert.deepEqual(heard.publishersOf('t'), ['n']);
  heard.down('n');
  assert.deepEqual(heard.publishersOf('t'), []);
  heard.up('n');
  assert.deepEqual(heard.publishersOf('t'), []);
  assert.equal(heard.begins('n', 't', 6), true);
});

test('a stream that begins is stale also when its first news came before its beginning', () => {
  const heard = new Heard(rules);
  heard.up('n');
  assert.equal(heard.news('n', 't', 5), 'next');
  assert.equal(heard.begins('n', 't', 5), true);
  assert.equal(heard.begins('n', 't', 5), false);
});

test('a subscriber is told at once, then at most once a second for each publisher, and never too little', () => {
  const clock = fakeClock();
  const told: string[] = [];
  const notices = new StaleNotices({ clock, rules, tell: (topic, node) => void told.push(`${topic} ${node}`) });
  notices.note('t', 'a', 'gap');
  notices.note('t', 'b', 'gap');
  assert.deepEqual(told.splice(0), ['t a', 't b']);
  clock.advance(300);
  for (let i = 0; i < 5; i += 1) notices.note('t', 'a', 'gap');
  assert.deepEqual(told, []);
  clock.advance(700);
  assert.deepEqual(told.splice(0), ['t a']);
  clock.advance(5000);
  assert.deepEqual(told, []);
  notices.note('t', 'a', 'gap');
  notices.note('t', 'a', 'gap');
  notices.note('t', 'b', 'gap');
  notices.note('t', 'b', 'gap');
  assert.deepEqual(told.splice(0), ['t a', 't b']);
  notices.dropNode('a');
  clock.advance(2000);
  assert.deepEqual(told.splice(0), ['t b']);
  notices.note('t', 'b', 'gap');
  notices.note('t', 'b', 'gap');
  notices.dropTopic('t');
  clock.advance(2000);
  assert.deepEqual(told, ['t b']);
});
