import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHashing, createQueue, hashingLimits } from './hashing.ts';
import { readPhc } from './phc.ts';

/** Argon2 as it is, but cheap. */
const cheap = { memoryKib: 64, passes: 1, lanes: 1 };

test('a password matches its hash and no other does, and two hashes of it differ', async () => {
  const hashing = createHashing(cheap);
  const [one, two] = await Promise.all([hashing.hash('correct horse'), hashing.hash('correct horse')]);
  assert.ok(one.ok && two.ok);
  assert.notEqual(one.phc, two.phc);
  assert.deepEqual(await hashing.verify('correct horse', one.phc), { ok: true, matches: true, outdated: false });
  assert.deepEqual(await hashing.verify('correct horsf', one.phc), { ok: true, matches: false, outdated: false });
});

test('the same letters match however the keyboard composed them', async () => {
  const hashing = createHashing(cheap);
  const hashed = await hashing.hash('caf\u00e9 au lait');
  assert.ok(hashed.ok);
  const verdict = await hashing.verify('cafe\u0301 au lait', hashed.phc);
  assert.ok(verdict.ok && verdict.matches);
});

test('nobody matches no user and no spoiled document, and the work is done all the same', async () => {
  const hashing = createHashing(cheap);
  for (const phc of [undefined, 'spoiled'])
    assert.deepEqual(await hashing.verify('anything', phc), { ok: true, matches: false, outdated: false });
  assert.equal(hashing.counters()['passwordsHashed'], 2);
});

test('a hash made with less than is used now still matches, and says so', async () => {
  const old = await createHashing(cheap).hash('correct horse');
  assert.ok(old.ok);
  const verdict = await createHashing({ ...cheap, passes: 2 }).verify('correct horse', old.phc);
  assert.deepEqual(verdict, { ok: true, matches: true, outdated: true });
});

test('what is kept by default is argon2id with 19 MiB and two passes', async () => {
  const hashed = await createHashing().hash('correct horse');
  assert.ok(hashed.ok);
  assert.match(hashed.phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(readPhc(hashed.phc)?.hash.length, 32);
});

test('two run at a time, sixteen wait, the next is turned away at once, and everybody gets a turn in order', async () => {
  const queue = createQueue(hashingLimits);
  const running: (() => void)[] = [];
  const order: number[] = [];
  let most = 0;
  const jobs = Array.from({ length: 19 }, (_, n) =>
    queue.run(async () => {
      order.push(n);
      await new Promise<void>((done) => {
        running.push(done);
        most = Math.max(most, running.length);
      });
      return n;
    }),
  );
  assert.equal(queue.waiting(), 16);
  assert.equal(await jobs[18], undefined);
  assert.equal(queue.refused(), 1);
  while (order.length < 18 || running.length > 0) {
    running.shift()?.();
    await new Promise((next) => setImmediate(next));
  }
  const outcomes = await Promise.all(jobs.slice(0, 18));
  assert.deepEqual(
    outcomes.map((one) => one?.value),
    Array.from({ length: 18 }, (_, n) => n),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 18 }, (_, n) => n),
  );
  assert.equal(most, 2);
});

test('a job that fails gives its place to the next', async () => {
  const queue = createQueue({ maxRunning: 1, maxWaiting: 1 });
  const failed = queue.run(() => Promise.reject(new Error('no memory')));
  const next = queue.run(() => Promise.resolve('next'));
  await assert.rejects(failed, /no memory/);
  assert.deepEqual(await next, { value: 'next' });
});
