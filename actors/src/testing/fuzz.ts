/**
 * Feeds a parser with damaged inputs and judges it: it never throws, gives a word for every input (why it was refused, or that it was
 * taken), takes no input longer than its limit, and leaves no memory behind. The number of inputs is THRUM_FUZZ_INPUTS (for each file),
 * or a small one for everyday runs; a failure names the seed and the number of the input, which repeat it.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type FuzzTotals = {
  readonly name: string;
  readonly inputs: number;
  readonly slowestMs: number;
  readonly peakRssMiB: number;
  readonly words: Readonly<Record<string, number>>;
};

const everydayInputs = 2000;
const maxWords = 200;

/** How many inputs a file shall try, all its fuzz runs together. */
export const fuzzInputs = (everyday = everydayInputs): number => {
  const named = Number(process.env['THRUM_FUZZ_INPUTS'] ?? '');
  return Number.isSafeInteger(named) && named > 0 ? named : everyday;
};

/** The seed of this run: THRUM_FUZZ_SEED, or a fixed one. */
export const fuzzSeed = (): number => Number(process.env['THRUM_FUZZ_SEED'] ?? '') || 20_261_122;

/**
 * `next` makes the input of a number (call the mutator of `mutations` in it), `take` gives it to the parser and returns a short word that
 * says what came of it. `limitMs` is generous: it finds hangs and quadratic time, not slow machines. `heapMiB` is the growth allowed.
 */
export const fuzz = async <Input>(options: {
  name: string;
  inputs: number;
  seed: number;
  next: (number: number) => Input;
  take: (input: Input) => string | Promise<string>;
  limitMs?: number;
  heapMiB?: number;
}): Promise<FuzzTotals> => {
  const { name, inputs, seed, next, take, limitMs = 2000, heapMiB = 64 } = options;
  const words = new Map<string, number>();
  let slowestMs = 0;
  let peakRssMiB = 0;
  let heapBefore = 0;
  const settleAfter = Math.min(500, inputs >> 1);
  for (let number = 0; number < inputs; number += 1) {
    const input = next(number);
    const beganMs = performance.now();
    let word: string;
    try {
      const answer = take(input);
      word = typeof answer === 'string' ? answer : await answer;
    } catch (error) {
      throw new Error(`${name}: input ${number} of seed ${seed} threw`, { cause: error });
    }
    const tookMs = performance.now() - beganMs;
    assert.ok(word !== '', `${name}: input ${number} of seed ${seed} was judged without a reason`);
    assert.ok(tookMs <= limitMs, `${name}: input ${number} of seed ${seed} took ${Math.round(tookMs)} ms`);
    slowestMs = Math.max(slowestMs, tookMs);
    if (words.has(word) || words.size < maxWords) words.set(word, (words.get(word) ?? 0) + 1);
    if (number === settleAfter) heapBefore = await liveHeap();
    if (number % 256 === 0) {
      peakRssMiB = Math.max(peakRssMiB, process.memoryUsage.rss() / 2 ** 20);
      await nextTurn();
    }
  }
  const grownMiB = ((await liveHeap()) - heapBefore) / 2 ** 20;
  assert.ok(
    grownMiB <= heapMiB,
    `${name}: the heap grew by ${grownMiB.toFixed(1)} MiB over ${inputs} inputs (seed ${seed})`,
  );
  assert.equal(
    Reflect.get({}, 'isAdmin'),
    undefined,
    `${name}: an input changed the prototype of all objects (seed ${seed})`,
  );
  const totals: FuzzTotals = { name, inputs, slowestMs, peakRssMiB, words: Object.fromEntries(words) };
  const report = process.env['THRUM_FUZZ_REPORT'];
  if (report !== undefined && report !== '') appendFileSync(report, `${JSON.stringify(totals)}\n`);
  return totals;
};

/** What is reachable, as near as it can be had: collected when Node was started with --expose-gc, else the least of some looks. */
const liveHeap = async (): Promise<number> => {
  const { gc } = globalThis;
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 3; look += 1) {
    gc?.();
    await nextTurn();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
};
