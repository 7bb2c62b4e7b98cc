import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../testing/random.ts';
import { bucketCount } from './digest.ts';
import { Replica, replicaBounds } from './replica.ts';
import type { Ended, Place } from './replica.ts';
import { rules, sessionLimits } from './rules.ts';
import { idOf } from './session-record.ts';
import type { SessionRecord } from './session-record.ts';

const nowMs = 1_800_000_000_000;
const recordOf = (n: number, over: Partial<SessionRecord> = {}): SessionRecord => ({
  ...{ id: idOf(`${n}`), user: 'ada', generation: 1, createdMs: nowMs, expiresMs: nowMs + sessionLimits.lifetimeMs },
  ...{ lastUseMs: nowMs, revoked: false },
  ...over,
});
const newReplica = () => {
  const ends: Ended[] = [];
  return { ends, replica: new Replica(rules, (ended) => ends.push(ended)) };
};

test('copies that saw the same records in any order, some of them twice, are equal', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const records = Array.from({ length: 12 }, () =>
      recordOf(below(3), {
        // Also what no honest node tells: another user, another generation, another expiry.
        ...{ user: below(8) === 0 ? 'eve' : 'ada', generation: below(8) === 0 ? 2 : 1, revoked: below(6) === 0 },
        ...{ lastUseMs: nowMs + below(5) * 1000, expiresMs: nowMs + sessionLimits.lifetimeMs - below(3) * 1000 },
      }),
    );
    const users = Array.from({ length: 4 }, () => ({ user: 'ada', generation: below(4) }));
    const digests = [0, 1, 2].map(() => {
      const { replica } = newReplica();
      const shuffled = [...records, ...records].sort(() => random() - 0.5);
      for (const record of shuffled) replica.merge(record, nowMs);
      for (const user of [...users].sort(() => random() - 0.5)) replica.mergeUser(user, nowMs);
      return replica.digest.text();
    });
    assert.equal(new Set(digests).size, 1, `seed ${seed}`);
  }
});

test('two records of one session that name different users are valid for neither', () => {
  const { replica, ends } = newReplica();
  replica.merge(recordOf(1), nowMs);
  assert.equal(replica.merge(recordOf(1, { user: 'eve' }), nowMs), 'changed');
  assert.equal(replica.alive(idOf('1'), nowMs), undefined);
  assert.equal(ends.length, 1);
  assert.equal(replica.heldOf('ada') + replica.heldOf('eve'), 1);
});

test('a digest says in which buckets two copies differ, and parts of those make them equal', () => {
  const [one, other] = [newReplica().replica, newReplica().replica];
  for (let n = 0; n < 500; n += 1) {
    if (n % 3 !== 0) one.merge(recordOf(n), nowMs);
    if (n % 5 !== 0) other.merge(recordOf(n), nowMs);
  }
  one.mergeUser({ user: 'bob', generation: 3 }, nowMs);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const buckets = from.digest.differing(to.digest.buckets());
    assert.ok(buckets.length > 0 && buckets.length <= bucketCount);
    let after: Place | undefined;
    do {
      const part = from.part(buckets, after, 7);
      assert.ok(part.entries.sessions.length + part.entries.users.length <= 7);
      for (const record of part.entries.sessions) to.merge(record, nowMs);
      for (const user of part.entries.users) to.mergeUser(user, nowMs);
      after = part.next;
    } while (after);
  }
  assert.equal(one.digest.text(), other.digest.text());
  assert.deepEqual(one.digest.differing(other.digest.buckets()), []);
  assert.equal(one.generationOf('bob'), 3);
  assert.equal(other.generationOf('bob'), 3);
});

test('a part of all buckets has every record once, in parts of any size', () => {
  const { replica } = newReplica();
  for (let n = 0; n < 200; n += 1) replica.merge(recordOf(n), nowMs);
  for (let n = 0; n < 50; n += 1) replica.mergeUser({ user: `user ${n}`, generation: n }, nowMs);
  const buckets = Array.from({ length: bucketCount }, (_, bucket) => bucket);
  for (const size of [1, 3, 250, 1000]) {
    const seen: string[] = [];
    let after: Place | undefined;
    do {
      const { entries, next } = replica.part(buckets, after, size);
      seen.push(...entries.sessions.map((one) => one.id), ...entries.users.map((one) => one.user));
      after = next;
    } while (after);
    assert.equal(seen.length, 250);
    assert.equal(new Set(seen).size, 250);
  }
});

test('a summary is the same again after everything was forgotten', () => {
  const { replica } = newReplica();
  const empty = replica.digest.text();
  for (let n = 0; n < 20; n += 1) replica.merge(recordOf(n), nowMs);
  assert.notEqual(replica.digest.text(), empty);
  const laterMs = nowMs + sessionLimits.lifetimeMs + sessionLimits.forgetAfterMs;
  assert.equal(replica.sweep(laterMs - 1).forgotten, 0);
  assert.equal(replica.sweep(laterMs).forgotten, 20);
  assert.equal(replica.digest.text(), empty);
  assert.equal(replica.heldOf('ada'), 0);
  assert.equal(replica.merge(recordOf(1), laterMs), 'old', 'and it does not come back');
});

test('sessions that live longer than any may, and those of a far future, are refused', () => {
  const { replica } = newReplica();
  const { lifetimeMs, aheadMs } = sessionLimits;
  assert.equal(replica.merge(recordOf(1, { expiresMs: nowMs + lifetimeMs + 1 }), nowMs), 'strange');
  const ahead = (ms: number): Partial<SessionRecord> => ({ createdMs: nowMs + ms, expiresMs: nowMs + ms + lifetimeMs });
  assert.equal(replica.merge(recordOf(2, ahead(aheadMs + 1)), nowMs), 'strange');
  assert.equal(replica.merge(recordOf(3, ahead(aheadMs)), nowMs), 'changed');
  assert.equal(replica.merge(recordOf(4, ahead(aheadMs + 1)), nowMs, { own: true }), 'changed', 'from the own disk');
});

test('an idle session wakes when its use elsewhere is heard of, and its end is told again when it ends for good', () => {
  const { replica, ends } = newReplica();
  replica.merge(recordOf(1), nowMs);
  const idleMs = nowMs + sessionLimits.idleMs;
  assert.ok(replica.alive(idOf('1'), idleMs - 1));
  assert.equal(replica.alive(idOf('1'), idleMs), undefined);
  replica.merge(recordOf(1, { lastUseMs: idleMs - 5 }), idleMs);
  assert.ok(replica.alive(idOf('1'), idleMs));
  replica.merge(recordOf(1, { revoked: true }), idleMs);
  replica.sweep(idleMs);
  assert.deepEqual(
    ends.map((one) => one.why),
    ['idle', 'signed-out'],
  );
});

test('what is held is bounded: beyond it sessions and users are refused, a sign-out of a known one is not', () => {
  const replica = new Replica(rules, () => undefined, { ...replicaBounds, held: 20, users: 10 });
  for (let n = 0; n < 20; n += 1) assert.equal(replica.merge(recordOf(n), nowMs), 'changed');
  assert.equal(replica.merge(recordOf(-1), nowMs), 'full');
  assert.equal(replica.merge(recordOf(7, { revoked: true }), nowMs), 'changed');
  for (let n = 0; n < 10; n += 1) replica.mergeUser({ user: `user ${n}`, generation: 1 }, nowMs);
  assert.equal(replica.mergeUser({ user: 'one more', generation: 1 }, nowMs), 'full');
  assert.equal(replica.mergeUser({ user: 'user 7', generation: 2 }, nowMs), 'changed');
  assert.deepEqual([replica.size, replica.users], [20, 10]);
});
