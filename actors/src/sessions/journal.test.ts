import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { createLog, silentLog } from '../system/log.ts';
import type { Disk } from './disk.ts';
import { formatRecord, readRecords } from './journal-format.ts';
import { openJournal } from './journal.ts';
import { idOf } from './session-record.ts';
import type { SessionRecord, UserGeneration } from './session-record.ts';

const record = (n: number, revoked = false): SessionRecord => ({
  ...{ id: idOf(`sid ${n}`), user: `user ä ${n}`, generation: n, createdMs: 1000 + n, expiresMs: 2_000_000 + n },
  ...{ lastUseMs: 1500 + n, revoked },
});
const user: UserGeneration = { user: 'ada "\\n', generation: 7 };
const all = [record(1), user, record(2, true), record(3)];
const bytesOf = (records: readonly (SessionRecord | UserGeneration)[]): Buffer =>
  Buffer.from(records.map(formatRecord).join(''));
const flat = (bytes: Uint8Array) => {
  const { entries } = readRecords(bytes);
  return [...entries.users, ...entries.sessions].map((one) => JSON.stringify(one));
};

test('what was written is read as it was', () => {
  const { entries, damaged, lines } = readRecords(bytesOf(all));
  assert.deepEqual(entries, { sessions: [record(1), record(2, true), record(3)], users: [user] });
  assert.deepEqual([damaged, lines], [0, 4]);
  assert.equal(readRecords(new Uint8Array(0)).lines, 0);
});

test('a file that ends anywhere has every record that is whole, and what is appended to it is read', () => {
  const texts = all.map(formatRecord);
  const whole = bytesOf(all);
  const later = record(9);
  for (let at = 0; at <= whole.byteLength; at += 1) {
    let end = 0;
    // A record is whole without its last newline.
    const complete = texts.filter((text) => (end += Buffer.byteLength(text)) - 1 <= at).length;
    const torn = Buffer.concat([whole.subarray(0, at), bytesOf([later])]);
    const expected = new Set([...all.slice(0, complete), later].map((one) => JSON.stringify(one)));
    assert.deepEqual(new Set(flat(torn)), expected, `cut after ${at} bytes`);
    assert.ok(readRecords(torn).damaged <= 1);
  }
});

test('a flipped bit costs the record it is in and no other', () => {
  const whole = bytesOf(all);
  const expected = flat(whole);
  for (let at = 0; at < whole.byteLength; at += 1)
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      const read = flat(flipped);
      assert.ok(read.length >= expected.length - 1, `bit ${bit} of byte ${at} cost ${expected.length - read.length}`);
      for (const one of read) assert.ok(expected.includes(one), `bit ${bit} of byte ${at} made up ${one}`);
    }
});

test('bytes of any kind are no records', () => {
  const noise = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 256));
  assert.equal(flat(noise).length, 0);
  assert.ok(readRecords(noise).damaged > 0);
});

/** A disk that fails or hangs as the test says. */
const scriptedDisk = (content: Uint8Array = new Uint8Array(0)) => {
  const disk = { content, does: 'works' as 'works' | 'fails' | 'hangs', appends: 0, syncs: 0, replaced: 0 };
  const act = (work: () => void): Promise<void> => {
    if (disk.does === 'hangs') return new Promise(() => undefined);
    if (disk.does === 'fails') return Promise.reject(new Error('scripted: no space left'));
    work();
    return Promise.resolve();
  };
  const door: Disk = {
    read: () => (disk.does === 'fails' ? Promise.reject(new Error('scripted')) : Promise.resolve(disk.content)),
    append: (bytes, { sync }) =>
      act(() => {
        disk.appends += 1;
        if (sync) disk.syncs += 1;
        disk.content = Buffer.concat([disk.content, bytes]);
      }),
    replace: (parts) =>
      act(() => {
        disk.replaced += 1;
        disk.content = Buffer.concat([...parts]);
      }),
    close: () => Promise.resolve(),
  };
  return { disk, door };
};

const openOn = async (scripted: ReturnType<typeof scriptedDisk>) => {
  const clock = fakeClock();
  const state: (SessionRecord | UserGeneration)[] = [];
  const said: string[] = [];
  const log = createLog({ name: 'test', sink: { write: (line) => void said.push(line) } });
  const opened = await openJournal({ disk: scripted.door, clock, log, state: () => state, size: () => state.length });
  return { ...opened, clock, state, said };
};

test('what is appended in one turn shares a sync, and each is told when it is done', async () => {
  const scripted = scriptedDisk();
  const { journal } = await openOn(scripted);
  const first = journal.append([record(0)], { sync: true });
  const more = Array.from({ length: 50 }, (_, n) => journal.append([record(n + 1)], { sync: true }));
  assert.deepEqual(await Promise.all([first, ...more]), new Array(51).fill(true));
  assert.ok(scripted.disk.syncs <= 2, `${scripted.disk.syncs} syncs`);
  assert.equal(flat(scripted.disk.content).length, 51);
  await journal.close();
  assert.equal(await journal.append([record(99)], { sync: true }), false);
});

test('a disk that fails is said once and counted; when it works again the whole state is written', async () => {
  const scripted = scriptedDisk();
  const { journal, state, said, clock } = await openOn(scripted);
  scripted.disk.does = 'fails';
  for (let n = 0; n < 5; n += 1) {
    state.push(record(n));
    assert.equal(await journal.append([record(n)], { sync: true }), false);
  }
  assert.equal(said.filter((line) => line.includes('cannot be written')).length, 1);
  assert.equal(journal.counters()['journalFailures'], 5);
  assert.equal(journal.counters()['journalFailing'], 1);
  scripted.disk.does = 'works';
  clock.advance(10_000);
  await eventually(() => journal.counters()['journalFailing'] === 0);
  assert.equal(flat(scripted.disk.content).length, 5);
  assert.equal(said.filter((line) => line.includes('again')).length, 1);
  await journal.close();
});

test('a disk that hangs keeps nobody waiting longer than some seconds', async () => {
  const scripted = scriptedDisk();
  const { journal, clock } = await openOn(scripted);
  scripted.disk.does = 'hangs';
  const waits = journal.append([record(1)], { sync: true });
  clock.advance(5_000);
  assert.equal(await waits, false);
});

test('a file that says much more than there is is written anew', async () => {
  const scripted = scriptedDisk();
  const { journal, state } = await openOn(scripted);
  state.push(record(1), user);
  for (let n = 0; n < 2_500; n += 1) await journal.append([record(1)], { sync: false });
  assert.ok(scripted.disk.replaced >= 2, `written anew ${scripted.disk.replaced} times`);
  assert.ok(readRecords(scripted.disk.content).lines <= 1_002);
  assert.deepEqual(new Set(flat(scripted.disk.content)), new Set([record(1), user].map((one) => JSON.stringify(one))));
  await journal.close();
});

test('damage is said with how much, and gone after the next writing', async () => {
  const bytes = bytesOf(all);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  const scripted = scriptedDisk(bytes);
  const { journal, entries, state, said } = await openOn(scripted);
  assert.equal(entries.sessions.length + entries.users.length, 3);
  assert.ok(said.some((line) => line.includes('"damaged":1')));
  state.push(...entries.sessions, ...entries.users);
  await journal.append([record(2, true)], { sync: true });
  assert.equal(readRecords(scripted.disk.content).damaged, 0);
  assert.equal(flat(scripted.disk.content).length, 3);
  await journal.close();
});

test('a file that cannot be read costs what it said, and nothing else', async () => {
  const scripted = scriptedDisk();
  scripted.disk.does = 'fails';
  const { journal, entries } = await openJournal({
    ...{ disk: scripted.door, clock: fakeClock(), log: silentLog, state: () => [record(1)], size: () => 1 },
  });
  assert.deepEqual(entries, { sessions: [], users: [] });
  scripted.disk.does = 'works';
  assert.equal(await journal.append([record(1)], { sync: true }), true);
  assert.equal(flat(scripted.disk.content).length, 1);
  await journal.close();
});
