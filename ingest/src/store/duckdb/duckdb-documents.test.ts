import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after } from 'node:test';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { documentsContract } from '../documents.contract.ts';
import { scenarioOptions } from '../store-scenario.ts';
import { openDuckdbStore } from './duckdb-store.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'thrum-documents-'));
after(() => rmSync(directory, { recursive: true, force: true }));

documentsContract('DuckDB', async () => {
  const store = await openDuckdbStore(scenarioOptions(`duckdb:${path.join(directory, 'thrum.duckdb')}`));
  return { documents: store.documents, dispose: () => store.close() };
});

const within = { deadlineMs: 10_000 };

test('documents outlive a restart, and so do their versions', async (t) => {
  const options = scenarioOptions(`duckdb:${path.join(temporaryDirectory(t), 'thrum.duckdb')}`);
  const first = await openDuckdbStore(options);
  const put = await first.documents.put('users', 'ada', { n: 1 }, null, within);
  assert.ok(put.ok);
  await first.close();
  const second = await openDuckdbStore(options);
  assert.deepEqual(await second.documents.get('users', 'ada', within), {
    ok: true,
    document: { version: put.version, value: { n: 1 } },
  });
  assert.deepEqual(await second.documents.delete('users', 'ada', put.version, within), { ok: true });
  await second.close();
  const third = await openDuckdbStore(options);
  const again = await third.documents.put('users', 'ada', { n: 1 }, null, within);
  assert.ok(again.ok && again.version !== put.version);
  await third.close();
});
