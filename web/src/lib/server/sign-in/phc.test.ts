import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOutdated, presentParameters, readPhc, writePhc } from './phc.ts';

test('what is written is read again, whatever the parameters', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 64, max: 262_144 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 64 }),
      fc.uint8Array({ minLength: 16, maxLength: 64 }),
      (memoryKib, passes, lanes, salt, hash) => {
        const stored = { memoryKib, passes, lanes, salt: Buffer.from(salt), hash: Buffer.from(hash) };
        assert.deepEqual(readPhc(writePhc(stored)), stored);
      },
    ),
  );
});

test('a string of another program with the same form is understood', () => {
  const stored = readPhc(
    '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b27vL/TrxRNJDx6OlN8PyCDvnM',
  );
  assert.deepEqual([stored?.memoryKib, stored?.passes, stored?.lanes, stored?.hash.length], [65_536, 3, 4, 32]);
});

test('a hash that would take the machine, and anything else, is none', () => {
  const good = writePhc({ ...presentParameters, salt: Buffer.alloc(16), hash: Buffer.alloc(32) });
  assert.ok(readPhc(good));
  for (const bad of [
    '',
    'password',
    good.replace('m=19456', 'm=99999999'),
    good.replace('t=2', 't=999'),
    good.replace('p=1', 'p=64'),
    good.replace('p=1', 'p=0'),
    good.replace('m=19456', 'm=1'),
    good.replace('argon2id', 'argon2i'),
    good.replace('v=19', 'v=16'),
    `${good}$`,
  ])
    assert.equal(readPhc(bad), undefined, bad);
});

test('smaller parameters than those of now are outdated, larger ones are not', () => {
  assert.equal(isOutdated(presentParameters), false);
  assert.equal(isOutdated({ ...presentParameters, memoryKib: presentParameters.memoryKib - 1 }), true);
  assert.equal(isOutdated({ ...presentParameters, passes: 1 }), true);
  assert.equal(isOutdated({ ...presentParameters, memoryKib: presentParameters.memoryKib * 2 }), false);
});
