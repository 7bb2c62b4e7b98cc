import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judgement.ts';
import type { Case, Judgement } from './judgement.ts';
import { rules } from './rules.ts';
import type { Word } from './rules.ts';
import { newSighting } from './sightings.ts';
import type { Sighting } from './sightings.ts';

const nowMs = 100_000;
const silent = (ms: number, more: Partial<Sighting> = {}): Sighting => ({
  ...newSighting(nowMs - ms),
  ...{ heardMs: nowMs - ms, linked: true },
  ...more,
});
const says = (heardForMs: number | undefined, more: Partial<Word> = {}): Word => ({
  ...{ heardForMs, linked: true, refused: false, doubts: false },
  ...more,
});
/** Witnesses are `a`, `b`, ...; one without a word was asked and has not answered. */
const verdict = (sighting: Sighting, words: readonly (Word | undefined)[], more: Partial<Case> = {}): string =>
  judgement(sighting, words, more).state;
const judgement = (sighting: Sighting, words: readonly (Word | undefined)[], more: Partial<Case> = {}): Judgement => {
  const witnesses = words.map((_, index) => ({ id: 'abcdef'.charAt(index), name: `node ${'abcdef'.charAt(index)}` }));
  for (const [index, word] of words.entries())
    if (word) sighting.reports.set('abcdef'.charAt(index), { word, atMs: nowMs - 100 });
  const given: Case = { sighting, witnesses, formerly: 'alive', mayAccuse: true, nowMs, ...more };
  return judge(given, rules);
};

test('silence: alive for 3 s, suspect until 5 s, then dead when two others heard nothing either', () => {
  const nothing = [says(4000), says(4000), says(4000)];
  assert.equal(verdict(silent(2900), nothing), 'alive');
  assert.equal(verdict(silent(3000), nothing), 'suspect');
  assert.equal(verdict(silent(4900), nothing), 'suspect');
  assert.equal(verdict(silent(5200), [says(5200), says(5200), says(5200)]), 'dead');
});

test('one witness that hears it is enough to clear it, however many do not', () => {
  assert.equal(verdict(silent(60_000), [says(60_000), says(60_000), says(300)]), 'alive');
  assert.equal(verdict(silent(60_000, { refusedMs: 90_000 }), [says(300), says(9000), says(9000)]), 'alive');
});

test('what a witness heard counts for as long as its own hearing would', () => {
  const formerly = silent(9000);
  formerly.reports.set('a', { word: says(200), atMs: nowMs - 4000 });
  assert.equal(verdict(formerly, [undefined, says(9000), says(9000)]), 'suspect', 'heard by somebody 4.2 s ago');
});

test('two have to agree while there are two to ask, one when there is one, and nobody when there is nobody', () => {
  const table: [(Word | undefined)[], string][] = [
    [[says(9000), says(9000)], 'dead'],
    [[says(9000), undefined], 'suspect'],
    [[undefined, undefined], 'suspect'],
    [[says(9000)], 'dead'],
    [[undefined], 'suspect'],
    [[], 'dead'],
  ];
  for (const [words, expected] of table) assert.equal(verdict(silent(9000), words), expected, JSON.stringify(words));
});

test('a witness that was asked for 3 s and does not answer is not waited for', () => {
  const asking = (ms: number): Sighting => silent(9000, { askingSinceMs: nowMs - ms });
  assert.equal(verdict(asking(2900), [says(9000), undefined]), 'suspect');
  assert.equal(verdict(asking(3100), [says(9000), undefined]), 'dead');
});

test('a witness that stood still neither agrees nor is waited for, but may have heard it since', () => {
  const doubts = { doubts: true };
  assert.equal(verdict(silent(9000), [says(9000, doubts), says(9000, doubts), says(9000)]), 'dead');
  assert.equal(verdict(silent(9000), [says(9000, doubts), says(9000), undefined]), 'suspect');
  assert.equal(verdict(silent(9000), [says(100, doubts), says(9000), says(9000)]), 'alive');
});

test('who may not accuse leaves everything as it is', () => {
  for (const formerly of ['alive', 'suspect'] as const)
    assert.equal(verdict(silent(60_000), [], { mayAccuse: false, formerly }), formerly);
  const gone = silent(500, { refusedMs: nowMs - 5000, linked: false });
  assert.equal(verdict(gone, [says(undefined, { refused: true, linked: false })], { mayAccuse: false }), 'alive');
});

test('a process that is gone is dead at once when all others see the same, after 0.6 s when one of them does', () => {
  const gone = (refusedForMs: number): Sighting => silent(800, { refusedMs: nowMs - refusedForMs, linked: false });
  const shut = says(800, { refused: true, linked: false });
  const unsure = says(800, { linked: false });
  const table: [number, (Word | undefined)[], string][] = [
    [10, [shut, shut], 'dead'],
    [10, [shut, unsure], 'alive'],
    [10, [shut, undefined], 'alive'],
    [600, [shut, undefined], 'dead'],
    [600, [shut, unsure], 'dead'],
    [600, [unsure, undefined], 'alive'],
    [10, [], 'dead'],
    [600, [shut, says(100)], 'alive'],
  ];
  for (const [refusedForMs, words, expected] of table)
    assert.equal(verdict(gone(refusedForMs), words), expected, `${refusedForMs} ${JSON.stringify(words)}`);
});

test('a verdict says why in a sentence', () => {
  const refused = silent(800, { refusedMs: nowMs - 700, linked: false });
  const shut = says(800, { refused: true, linked: false });
  assert.equal(judgement(refused, [shut]).why, 'nobody listens at its door, 1 other says the same');
  assert.equal(judgement(refused, [shut, shut]).why, 'nobody listens at its door, 2 others say the same');
  assert.equal(judgement({ ...refused, reports: new Map() }, []).why, 'nobody listens at its door, nobody else to ask');
  assert.equal(judgement(silent(9000), [says(9000)]).why, 'nothing heard for 9.0 s, 1 other says the same');
  assert.equal(judgement(silent(9000), []).why, 'nothing heard for 9.0 s, nobody else to ask');
});
