import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';
import { mutateJson, mutations } from './mutations.ts';

const input = Uint8Array.from({ length: 200 }, (_, i) => i);

test('the same seed makes the same inputs, another seed others, and the given one stays as it is', () => {
  const run = (seed: number): string[] => {
    const mutate = mutations({ seed });
    return Array.from({ length: 50 }, () => Buffer.from(mutate(input, [new Uint8Array(9)])).toString('hex'));
  };
  assert.deepEqual(run(1), run(1));
  assert.notDeepEqual(run(1), run(2));
  assert.ok(new Set(run(1)).size > 45);
  assert.equal(input[199], 199);
});

test('a damaged input stays bounded, and an empty one becomes something', () => {
  const mutate = mutations({ seed: 3 });
  let bytes = Uint8Array.from(input);
  for (let i = 0; i < 500; i += 1) bytes = Uint8Array.from(mutate(bytes));
  assert.ok(bytes.length < 1 << 29);
  assert.ok(Array.from({ length: 20 }, () => mutate(new Uint8Array(0)).length).some((length) => length > 0));
});

test('values are changed in type, size and keys without touching the value itself or any prototype', () => {
  const mutate = mutateJson({ seed: 5 });
  const value = { a: [1, 2, { b: 'c' }], d: true };
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i += 1) {
    const changed = mutate(value);
    seen.add(JSON.stringify([changed]).slice(0, 200));
  }
  assert.ok(seen.size > 200, `only ${seen.size}`);
  assert.deepEqual(value, { a: [1, 2, { b: 'c' }], d: true });
  assert.equal(Reflect.get({}, 'isAdmin'), undefined);
  assert.ok([...seen].some((text) => text.includes('__proto__')));
});

test('a fuzz run fails on a throw, on a missing reason and on time, and names the input', async () => {
  const run = (take: (n: number) => string, limitMs = 2000) =>
    fuzz({ name: 'one', inputs: 20, seed: 9, next: (n) => n, take, limitMs });
  await assert.rejects(
    run((n) => {
      if (n === 7) throw new Error('no');
      return 'yes';
    }),
    /input 7 of seed 9 threw/,
  );
  await assert.rejects(
    run((n) => (n === 3 ? '' : 'yes')),
    /input 3 of seed 9 was judged without/,
  );
  await assert.rejects(
    run(() => 'yes', -1),
    /input 0 of seed 9 took/,
  );
  assert.deepEqual((await run((n) => (n % 2 === 0 ? 'even' : 'odd'))).words, { even: 10, odd: 10 });
});
