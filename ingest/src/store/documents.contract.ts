/** What the documents of every store must do. Each store's own test file runs this suite on the real thing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { documentLimits } from '@thrum/actors/wire/documents';
import type { DocumentStore } from './documents.ts';

export type OpenedDocuments = { readonly documents: DocumentStore; dispose(): Promise<void> };

const within = { deadlineMs: 10_000 };
const conflict = { ok: false, reason: 'conflict' };

export const documentsContract = (name: string, open: () => Promise<OpenedDocuments>): void => {
  describe(`documents on ${name}`, () => {
    let opened: OpenedDocuments;
    let collections = 0;
    /** Each test has its own, so that none sees the documents of another. */
    const newCollection = (): string => `c${(collections += 1)}`;

    before(async () => (opened = await open()));
    after(() => opened.dispose());

    const put = async (
      collection: string,
      key: string,
      value: Record<string, unknown>,
      ifVersion: string | null = null,
    ): Promise<string> => {
      const outcome = await opened.documents.put(collection, key, value, ifVersion, within);
      assert.ok(outcome.ok, JSON.stringify(outcome));
      return outcome.version;
    };

    test('what was put is read back as it was, with the version it was given', async () => {
      const users = newCollection();
      const value = {
        name: 'Ada',
        deep: [{ a: null, b: [1, 2.5, true] }],
        'a.b': { c: 'ä "quoted"' },
        '': 1,
        2: 'two',
      };
      const version = await put(users, 'ada', value);
      assert.deepEqual(await opened.documents.get(users, 'ada', within), { ok: true, document: { version, value } });
      assert.deepEqual(await opened.documents.list(users, within), {
        ok: true,
        documents: [{ key: 'ada', version, value }],
      });
    });

    test('values of any shapes live beside one another in one collection', async () => {
      const mixed = newCollection();
      const values = [{ a: 1 }, { a: 'text' }, { a: { b: 1 } }, { a: [{ b: 'x' }] }, { collection: 7, key: {} }];
      for (const [i, value] of values.entries()) await put(mixed, `k${i}`, value);
      const listed = await opened.documents.list(mixed, within);
      assert.ok(listed.ok);
      assert.deepEqual(
        listed.documents.map((one) => one.value),
        values,
      );
    });

    test('nothing is there before it was put: no document, an empty list', async () => {
      const nothing = newCollection();
      assert.deepEqual(await opened.documents.get(nothing, 'x', within), { ok: true, document: undefined });
      assert.deepEqual(await opened.documents.list(nothing, within), { ok: true, documents: [] });
      assert.deepEqual(await opened.documents.delete(nothing, 'x', '1', within), conflict);
    });

    test('what must not exist yet is a conflict when it does, and stays as it is', async () => {
      const users = newCollection();
      const version = await put(users, 'ada', { n: 1 });
      assert.deepEqual(await opened.documents.put(users, 'ada', { n: 2 }, null, within), conflict);
      assert.deepEqual(await opened.documents.get(users, 'ada', within), {
        ok: true,
        document: { version, value: { n: 1 } },
      });
    });

    test('a change says which version it changes; an older one is a conflict', async () => {
      const users = newCollection();
      const first = await put(users, 'ada', { n: 1 });
      const second = await put(users, 'ada', { n: 2 }, first);
      assert.notEqual(first, second);
      assert.deepEqual(await opened.documents.put(users, 'ada', { n: 3 }, first, within), conflict);
      assert.deepEqual(await opened.documents.delete(users, 'ada', first, within), conflict);
      const read = await opened.documents.get(users, 'ada', within);
      assert.deepEqual(read, { ok: true, document: { version: second, value: { n: 2 } } });
    });

    test('a version of another form, and one of a document that is not there, is a conflict', async () => {
      const users = newCollection();
      await put(users, 'ada', { n: 1 });
      for (const version of ['x', '0.0', '1.99999999', '999999999', '1.2.3', '99999999999999999999999'])
        assert.deepEqual(await opened.documents.put(users, 'ada', { n: 3 }, version, within), conflict, version);
      const version = await put(users, 'bob', { n: 1 });
      assert.deepEqual(await opened.documents.put(users, 'eve', { n: 1 }, version, within), conflict);
    });

    test('what was deleted is gone, and made again it has another version than ever before', async () => {
      const users = newCollection();
      const first = await put(users, 'ada', { n: 1 });
      assert.deepEqual(await opened.documents.delete(users, 'ada', first, within), { ok: true });
      assert.deepEqual(await opened.documents.get(users, 'ada', within), { ok: true, document: undefined });
      assert.deepEqual(await opened.documents.list(users, within), { ok: true, documents: [] });
      assert.deepEqual(await opened.documents.put(users, 'ada', { n: 2 }, first, within), conflict);
      const again = await put(users, 'ada', { n: 1 });
      assert.notEqual(again, first);
      assert.deepEqual(await opened.documents.put(users, 'ada', { n: 3 }, first, within), conflict);
    });

    test('of many who change the same version at once, one succeeds', async () => {
      const users = newCollection();
      const version = await put(users, 'ada', { n: 0 });
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => opened.documents.put(users, 'ada', { n }, version, within)),
      );
      assert.deepEqual(
        outcomes.filter((one) => !one.ok),
        Array.from({ length: 19 }, () => conflict),
      );
    });

    test('of many who make the same document at once, one succeeds', async () => {
      const users = newCollection();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => opened.documents.put(users, 'ada', { n }, null, within)),
      );
      assert.equal(outcomes.filter((one) => one.ok).length, 1);
    });

    test('collections do not mix, and a key may be anything that can be read', async () => {
      const [one, other] = [newCollection(), newCollection()];
      const keys = [
        'a/b',
        '../x',
        'ä ö',
        '%2F',
        "o'brien",
        '"',
        '*',
        '?q=1#f',
        '🔑',
        'x'.repeat(documentLimits.keyChars),
      ];
      for (const key of keys) await put(one, key, { key });
      await put(other, 'a/b', { other: true });
      for (const key of keys) {
        const read = await opened.documents.get(one, key, within);
        assert.deepEqual(read.ok && read.document?.value, { key });
      }
      const listed = await opened.documents.list(one, within);
      assert.ok(listed.ok);
      assert.deepEqual(listed.documents.map((document) => document.key).sort(), [...keys].sort());
      assert.deepEqual((await opened.documents.list(other, within)).ok, true);
    });

    test('a long list is whole and in order', async () => {
      const many = newCollection();
      const keys = Array.from({ length: 520 }, (_, i) => `key-${String(i).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 20)
        await Promise.all(keys.slice(at, at + 20).map((key) => put(many, key, { key })));
      const listed = await opened.documents.list(many, within);
      assert.ok(listed.ok, JSON.stringify(listed));
      assert.deepEqual(
        listed.documents.map((one) => one.key),
        keys,
      );
    });

    test('a list that is too large for one message is refused, its documents can still be read one by one', async () => {
      const large = newCollection();
      const text = 'x'.repeat(documentLimits.valueBytes - 100);
      const count = Math.ceil(documentLimits.listBytes / text.length) + 1;
      for (let at = 0; at < count; at += 20)
        await Promise.all(
          Array.from({ length: Math.min(20, count - at) }, (_, i) => put(large, `k${at + i}`, { text })),
        );
      const listed = await opened.documents.list(large, within);
      assert.equal(!listed.ok && listed.code, 'too-large');
      assert.equal((await opened.documents.get(large, 'k1', within)).ok, true);
    });

    test('without time it refuses as away', async () => {
      const outcome = await opened.documents.get(newCollection(), 'x', { deadlineMs: 0 });
      assert.equal(!outcome.ok && outcome.code, 'store-away');
    });
  });
};
