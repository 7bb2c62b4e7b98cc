import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Y from 'yjs';
import { seededRandom } from '../testing/random.ts';
import { PresenceDocument } from './document.ts';
import type { DocumentUpdate } from './document.ts';
import { clientIdOf, compareNames, readName, writeName } from './document-name.ts';
import { readLine, writeContainer, writeRemoved } from './lines.ts';

const name = { node: 'n1', incarnation: 1_767_225_600_000, generation: 0 };
const textsOf = (document: PresenceDocument): readonly string[] => {
  const copy = new PresenceDocument(document.name);
  return copy.apply(document.since(copy.stateVector));
};

test('a reader that applies what the writer appended has the same texts, number and hash', () => {
  const writer = new PresenceDocument(name);
  const reader = new PresenceDocument(name);
  for (const texts of [['a', 'b'], ['c'], ['ä', '日本']]) {
    const update = writer.append(texts);
    const inspected = reader.inspect(update);
    assert.deepEqual(inspected.ok && inspected.texts, texts);
    assert.deepEqual(reader.apply(update), texts);
  }
  assert.deepEqual([reader.length, reader.hash, reader.bytes], [writer.length, writer.hash, writer.bytes]);
  assert.deepEqual(textsOf(reader), ['a', 'b', 'c', 'ä', '日本']);
});

test('a reader that lacks the middle is told so, and catches up from its state vector', () => {
  const writer = new PresenceDocument(name);
  const reader = new PresenceDocument(name);
  reader.apply(writer.append(['a', 'b']));
  writer.append(['c']);
  const late = writer.append(['d']);
  assert.deepEqual(reader.inspect(late), { ok: false, reason: 'gap' });
  const lacking = writer.since(reader.stateVector);
  assert.equal(lacking.from, 2);
  assert.deepEqual(reader.apply(lacking), ['c', 'd']);
});

test('of an update that overlaps only what is new is taken', () => {
  const writer = new PresenceDocument(name);
  const reader = new PresenceDocument(name);
  reader.apply(writer.append(['a']));
  writer.append(['b']);
  const whole = writer.since(new PresenceDocument(name).stateVector);
  const inspected = reader.inspect(whole);
  assert.deepEqual(inspected.ok && inspected.texts, ['b']);
  assert.deepEqual(reader.apply(whole), ['b']);
});

test('however long a document is, an append copies no more than a part of a bounded length', () => {
  const writer = new PresenceDocument(name);
  const reader = new PresenceDocument(name);
  for (let at = 0; at < 1000; at += 3) {
    const update = writer.append([`${at}`, `${at + 1}`, `${at + 2}`]);
    assert.equal(reader.inspect(update).ok, true);
    reader.apply(update);
  }
  for (const document of [writer, reader]) {
    const { structs } = Y.decodeUpdate(document.since(new PresenceDocument(name).stateVector).bytes);
    assert.deepEqual(
      structs.map(({ length }) => length),
      [256, 256, 256, 234],
    );
  }
  assert.deepEqual([reader.length, reader.hash, reader.bytes], [writer.length, writer.hash, writer.bytes]);
  assert.deepEqual(
    textsOf(writer),
    Array.from({ length: 1002 }, (_, at) => `${at}`),
  );
});

test('a reader catches up from any state vector, also at the edge of a part', () => {
  const writer = new PresenceDocument(name);
  const all = Array.from({ length: 600 }, (_, at) => `text ${at}`);
  writer.append(all.slice(0, 300));
  writer.append(all.slice(300));
  for (const held of [1, 255, 256, 257, 300, 511, 512, 513, 599]) {
    const reader = new PresenceDocument(name);
    const former = new PresenceDocument(name).append(all.slice(0, held));
    assert.equal(reader.inspect(former).ok, true);
    reader.apply(former);
    const lacking = writer.since(reader.stateVector);
    const inspected = reader.inspect(lacking);
    assert.deepEqual(inspected.ok && inspected.texts, all.slice(held), `from ${held}`);
    assert.deepEqual(reader.apply(lacking), all.slice(held), `from ${held}`);
    assert.equal(reader.hash, writer.hash);
  }
});

test('an update whose texts stand in another part than their number says is refused', () => {
  const texts = Array.from({ length: 300 }, (_, at) => `${at}`);
  const good = new PresenceDocument(name).append(texts);
  const oneArray = new Y.Doc();
  oneArray.clientID = clientIdOf(name);
  oneArray.getArray('log/0').push(texts);
  const reader = new PresenceDocument(name);
  assert.deepEqual(reader.inspect({ ...good, bytes: Y.encodeStateAsUpdate(oneArray) }), {
    ok: false,
    reason: 'malformed',
  });
  const wrongPart = new Y.Doc();
  wrongPart.clientID = clientIdOf(name);
  wrongPart.getArray('log/0').push(texts.slice(0, 256));
  wrongPart.getArray('log/2').push(texts.slice(256));
  assert.deepEqual(reader.inspect({ ...good, bytes: Y.encodeStateAsUpdate(wrongPart) }), {
    ok: false,
    reason: 'malformed',
  });
  assert.equal(reader.inspect(good).ok, true);
});

test('an update of another document, or that says of itself what it is not, is refused', () => {
  const reader = new PresenceDocument(name);
  const other = new PresenceDocument({ ...name, generation: 1 }).append(['a']);
  assert.deepEqual(reader.inspect(other), { ok: false, reason: 'malformed' });
  const good = new PresenceDocument(name).append(['a']);
  assert.deepEqual(reader.inspect({ ...good, to: 2 }), { ok: false, reason: 'malformed' });
  assert.deepEqual(reader.inspect({ ...good, hash: '0'.repeat(16) }), { ok: false, reason: 'other-content' });
  assert.equal(reader.inspect(good).ok, true);
});

test('of ten thousand mutated updates none but an unchanged one is taken, and none has an effect', () => {
  const random = seededRandom(11);
  const below = (max: number): number => Math.floor(random() * max);
  const writer = new PresenceDocument(name);
  const reader = new PresenceDocument(name);
  reader.apply(writer.append(['one', 'two', 'three']));
  const before = { length: reader.length, hash: reader.hash, stateVector: [...reader.stateVector] };
  const good = writer.append(['four', 'five "quoted"', 'six']);
  const mutate = (bytes: Uint8Array): Uint8Array => {
    const kind = below(5);
    const at = below(bytes.length);
    const copy = [...bytes];
    if (kind === 0) copy[at] = below(256);
    else if (kind === 1) copy.splice(at, 1 + below(4));
    else if (kind === 2) copy.splice(at, 0, ...Array.from({ length: 1 + below(4) }, () => below(256)));
    else if (kind === 3) copy.length = at;
    else copy.splice(at, 5, 255, 255, 255, 255, below(128));
    return Uint8Array.from(copy);
  };
  let taken = 0;
  for (let run = 0; run < 10_000; run += 1) {
    const update: DocumentUpdate = { ...good, bytes: mutate(good.bytes) };
    const inspected = reader.inspect(update);
    if (inspected.ok) {
      taken += 1;
      // Bytes behind the end, which Yjs does not read, or a spelling of the same.
      assert.deepEqual(inspected.texts, ['four', 'five "quoted"', 'six']);
    }
    assert.deepEqual({ length: reader.length, hash: reader.hash, stateVector: [...reader.stateVector] }, before);
  }
  assert.ok(taken < 1000, `${taken} mutants say the same`);
  assert.deepEqual(reader.apply(good), ['four', 'five "quoted"', 'six']);
});

test('names of documents are read as they are written, and nothing else is a name', () => {
  assert.deepEqual(readName(writeName(name)), name);
  assert.deepEqual(readName('p2/a/b/1/2'), { node: 'a/b', incarnation: 1, generation: 2 });
  for (const wrong of [
    '',
    'p2/a/1',
    'p2//1/2',
    'p2/a/01/2',
    'p2/a/1/-2',
    'q/a/1/2',
    `p2/${'x'.repeat(101)}/1/1`,
    7,
    null,
  ])
    assert.equal(readName(wrong), undefined, String(wrong));
  assert.ok(compareNames({ ...name, generation: 1 }, name) > 0);
  assert.ok(compareNames({ ...name, incarnation: 1, generation: 9 }, name) < 0);
});

test('a text that is not about a host as we would write it is malformed; kinds of later versions are let through', () => {
  const host = '00000000-0000-4000-8000-000000000001';
  const container = { id: 'abc', name: 'web', state: 'running', health: '', sinceMs: 1 };
  assert.deepEqual(readLine(writeContainer(host, container)), { kind: 'container', hostId: host, containerId: 'abc' });
  assert.deepEqual(readLine(writeRemoved(host)), { kind: 'removed', hostId: host, containerId: undefined });
  assert.deepEqual(readLine('["z",1]'), { kind: 'unknown' });
  const wrong = ['', '{}', '[]', '["s"]', `["s","${host}"]`, `["s","${host}",1,1,"x",1,1]`, '["r","no host"]'];
  wrong.push(`["s","${host}",-1,1,"c",1,1]`, `["s","${host}",1,1,"c",null,1]`, `["f","${host}","name"]`);
  wrong.push(` ${writeContainer(host, container)}`, `["z","${'x'.repeat(17_000)}"]`, `["r","${host}",7]`);
  for (const text of wrong) assert.equal(readLine(text), undefined, text.slice(0, 60));
});
