import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { recentAnswerSchema, type RecentAnswer } from '@thrum/actors/wire/ingest-to-agent';
import { createRecent } from './recent.ts';

const hash = '0123456789abcdef';
const batch = (n: number, bytes = 40): Uint8Array => new Uint8Array(bytes).fill(n % 251);

/** The batches of an answer, as PROTOCOL.md says to read it. */
const unpack = (answer: RecentAnswer): Uint8Array[] =>
  answer.groups.flatMap(({ encoding, bytes }) => {
    const plain = encoding === 'zstd' ? zstdDecompressSync(bytes) : bytes;
    const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
    const found: Uint8Array[] = [];
    for (let at = 0; at < plain.length;) {
      const length = view.getUint32(at, true);
      found.push(plain.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return found;
  });

describe('the last minutes', () => {
  it('come back batch for batch, oldest first, the open group included', () => {
    const recent = createRecent(hash);
    for (let n = 0; n < 25; n += 1) recent.add(batch(n), n * 1000);
    const answer = recent.answer(0);
    assert.ok(recentAnswerSchema.safeParse(answer).success);
    assert.deepEqual(
      answer.groups.map(({ encoding }) => encoding),
      ['zstd', 'zstd', 'plain'],
    );
    assert.deepEqual(
      unpack(answer).map((one) => one[0]),
      Array.from({ length: 25 }, (_, n) => n),
    );
  });

  it('are cut to the groups that reach past the time asked for', () => {
    const recent = createRecent(hash);
    for (let n = 0; n < 25; n += 1) recent.add(batch(n), n * 1000);
    assert.deepEqual(
      unpack(recent.answer(15_000)).map((one) => one[0]),
      Array.from({ length: 15 }, (_, n) => n + 10),
    );
    assert.deepEqual(recent.answer(25_000).groups, []);
  });

  it('go back ten minutes and no further', () => {
    const recent = createRecent(hash);
    for (let n = 0; n < 2000; n += 1) recent.add(batch(n), n * 1000);
    const batches = unpack(recent.answer(0));
    assert.ok(batches.length >= 600 && batches.length <= 620, `${batches.length} batches`);
    assert.ok(Buffer.from(batch(1999)).equals(batches.at(-1) ?? Buffer.alloc(0)));
  });

  it('stay within their bytes, and no group is larger than a batch may be', () => {
    const recent = createRecent(hash, 3_000_000);
    for (let n = 0; n < 100; n += 1) recent.add(randomBytes(100_000), n * 1000);
    assert.ok(recent.bytes() <= 3_000_000);
    const answer = recent.answer(0);
    assert.ok(answer.groups.length > 1);
    for (const { bytes } of answer.groups) assert.ok(bytes.length <= 1024 * 1024);
  });

  it('have fewer groups than an answer may have, however short the period is', () => {
    const recent = createRecent(hash);
    for (let n = 0; n < 30_000; n += 1) recent.add(batch(n, 8), n * 10);
    assert.ok(recentAnswerSchema.safeParse(recent.answer(0)).success);
  });
});
