import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { seededRandom } from '@thrum/actors/testing/random';
import { repository } from '../../infra/local/build.ts';
import { damageCheckpoint, damageSegment, poisonSegment, saltOf } from './tampering.ts';

const fixtures = join(repository, 'agent', 'src', 'queue', 'fixtures', 'queue-v1');
const segments = readdirSync(fixtures)
  .map((name) => ({ name, salt: saltOf(name) ?? -1, bytes: readFileSync(join(fixtures, name)) }))
  .filter(({ salt }) => salt >= 0);

/** Where records begin, by their lengths alone, and whether each is whole. */
const records = (bytes: Buffer, salt: number): { at: number; isWhole: boolean }[] => {
  const found: { at: number; isWhole: boolean }[] = [];
  for (let at = 128; at + 64 <= bytes.length && bytes.readUInt32LE(at) === 0xa5c3f00d;) {
    const end = at + 64 + bytes.readUInt32LE(at + 12);
    found.push({ at, isWhole: crc32(bytes.subarray(at + 8, end), salt) === bytes.readUInt32LE(at + 4) });
    at = (end + 7) & ~7;
  }
  return found;
};

test('damage changes something of a segment and never its last record', () => {
  const random = seededRandom(1);
  let harmed = 0;
  for (const { bytes, salt } of segments)
    for (let i = 0; i < 200; i += 1) {
      const changed = Buffer.from(bytes);
      if (damageSegment(changed, salt, random) === undefined) continue;
      harmed += 1;
      const last = records(bytes, salt).at(-1)?.at ?? assert.fail();
      assert.notDeepEqual(changed.subarray(0, last), bytes.subarray(0, last));
      assert.deepEqual(changed.subarray(last), bytes.subarray(last));
    }
  assert.ok(harmed > 100);
});

test('poison leaves every checksum right and changes one payload', () => {
  const random = seededRandom(2);
  let poisoned = 0;
  for (const { bytes, salt } of segments) {
    const changed = Buffer.from(bytes);
    if (poisonSegment(changed, salt, random) === undefined) continue;
    poisoned += 1;
    const [before, after] = [records(bytes, salt), records(changed, salt)];
    assert.ok(after.every(({ isWhole }) => isWhole));
    assert.deepEqual(
      after.map(({ at }) => at),
      before.map(({ at }) => at),
    );
    assert.notDeepEqual(changed, bytes);
  }
  assert.ok(poisoned > 0);
});

test('a segment with nothing in it, one of another salt and a cut checkpoint are left alone', () => {
  const random = seededRandom(3);
  assert.equal(damageSegment(Buffer.alloc(128), 1, random), undefined);
  assert.equal(poisonSegment(Buffer.alloc(0), 1, random), undefined);
  for (const { bytes, salt } of segments) assert.equal(poisonSegment(Buffer.from(bytes), salt + 1, random), undefined);
  assert.equal(damageCheckpoint(Buffer.alloc(100), random), undefined);
  const checkpoint = Buffer.alloc(200);
  assert.notEqual(damageCheckpoint(checkpoint, random), undefined);
  assert.notDeepEqual(checkpoint, Buffer.alloc(200));
});
