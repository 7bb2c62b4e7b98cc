import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { eventually } from '@thrum/actors/testing/eventually';
import { gauge } from '@thrum/actors/wire/schema';
import { StoreError } from '../store-error.ts';
import {
  hostA,
  originOf,
  questionOf,
  requestOf,
  sample,
  scenarioCatalogue,
  scenarioOptions,
  written,
} from '../store-scenario.ts';
import { storeContract, type FoundLetter } from '../store.contract.ts';
import { openDatabase } from './database.ts';
import { openDuckdbStore } from './duckdb-store.ts';
import { refusedTable } from './refused-table.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'thrum-duckdb-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const newFile = (): string => path.join(directory, `store-${(files += 1)}`, 'thrum.duckdb');

storeContract('DuckDB', async (over = {}) => {
  const database = await openDatabase(newFile());
  const store = await openDuckdbStore({ ...scenarioOptions(`duckdb:${database.file}`), ...over, database });
  const letters = async (timeMs: number): Promise<FoundLetter[]> => {
    const connection = await database.connect();
    const found = await connection.runAndReadAll(
      `SELECT host_id, code, detail, target, fields, time_ms::DOUBLE, epoch::DOUBLE, seq::DOUBLE, index, sample FROM ${refusedTable} WHERE time_ms = ${timeMs} ORDER BY epoch, seq, index`,
    );
    connection.closeSync();
    return found.getRows().map(([hostId, code, detail, target, fields, time, epoch, seq, index, values]) => ({
      ...{ hostId: String(hostId), code: String(code), detail: String(detail), target: String(target) },
      fields: JSON.parse(String(fields)) as string[],
      timeMs: Number(time),
      place: [Number(epoch), Number(seq), Number(index)] as const,
      values: JSON.parse(String(values)) as Record<string, number>,
    }));
  };
  return { store, letters, settle: () => Promise.resolve(), dispose: () => store.close() };
});

const storeError = (code: StoreError['code'], words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

test('what was stored is there after a restart, and a resend of it is still known', async () => {
  const options = scenarioOptions(`duckdb:${newFile()}`);
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const samples = [sample('memory', at, [10, 1])];
  const first = await openDuckdbStore(options);
  await written(first, requestOf(originOf(hostA, 7), samples));
  await first.close();
  const second = await openDuckdbStore(options);
  assert.deepEqual(await written(second, requestOf(originOf(hostA, 7), samples)), { ok: true, refused: [] });
  assert.equal(second.counters()['store_documents_duplicate'], 1);
  const given = await second.ask(questionOf({ fromMs: at, toMs: at + 1000 }), { deadlineMs: 10_000 });
  assert.deepEqual(given.ok && given.series[0]?.values, [[10]]);
  await second.close();
});

test('what comes under a name that was used before is stored all the same, as from a machine that was set back to an earlier moment', async () => {
  const options = scenarioOptions(`duckdb:${newFile()}`);
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const origin = originOf(hostA, 7);
  const store = await openDuckdbStore(options);
  const tell = async (id: string): Promise<void> => {
    const outcome = store.writeEvents({
      origin: originOf(hostA, 8),
      events: [{ kind: 'gap', id, timeMs: at, facts: {} }],
    });
    assert.ok(outcome.ok && (await outcome.done).ok);
  };
  await written(store, requestOf(origin, [sample('memory', at, [10, 1])]));
  await tell('first');
  await written(store, requestOf(origin, [sample('memory', at + 1000, [20, 1])]));
  await tell('second');
  await written(store, requestOf(origin, [sample('memory', at + 1000, [20, 1])]));
  const other = await written(store, requestOf(origin, [sample('memory', at, [11, 1])]));
  assert.equal(other.ok && other.refused[0]?.samples, 1);
  const given = await store.ask(questionOf({ fromMs: at, toMs: at + 2000 }), { deadlineMs: 10_000 });
  assert.deepEqual(given.ok && given.series[0]?.values, [[10, 20]]);
  const { store_documents_stored, store_documents_duplicate, store_events_stored } = store.counters();
  assert.deepEqual([store_documents_stored, store_documents_duplicate, store_events_stored], [2, 1, 2]);
  await store.close();
});

test('a metric declared later is a new column, and the rows before have no value in it', async () => {
  const options = scenarioOptions(`duckdb:${newFile()}`);
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const [memory, ...rest] = scenarioCatalogue;
  assert.ok(memory);
  const first = await openDuckdbStore({
    ...options,
    catalogue: [{ ...memory, metrics: memory.metrics.slice(0, 1) }, ...rest],
  });
  await written(first, requestOf(originOf(hostA, 1), [sample('memory', at, [10, 1])]));
  await first.close();
  const grown = { ...memory, metrics: [gauge('early', '%', 'New.'), ...memory.metrics] };
  const second = await openDuckdbStore({ ...options, catalogue: [grown, ...rest] });
  await written(second, requestOf(originOf(hostA, 2), [sample('memory', at + 1000, [20, 2])]));
  const question = questionOf({ metrics: ['usage', 'used', 'early'], fromMs: at, toMs: at + 2000 });
  const given = await second.ask(question, { deadlineMs: 10_000 });
  assert.deepEqual(given.ok && given.series[0]?.values, [
    [10, 20],
    [null, 2],
    [null, null],
  ]);
  await second.close();
});

test('samples and batch records older than what is kept are deleted when the store is opened', async () => {
  const url = `duckdb:${newFile()}`;
  const clock = fakeClock(Date.now());
  const at = Math.floor(clock.wallMs() / 1000) * 1000 - 4 * 86_400_000;
  const live = scenarioOptions(url);
  const first = await openDuckdbStore(live);
  await written(first, requestOf(originOf(hostA, 1), [sample('memory', at, [10, 1])]));
  await written(first, requestOf(originOf(hostA, 2), [sample('memory', at + 3 * 86_400_000, [20, 1])]));
  await first.close();
  const second = await openDuckdbStore({ ...live, retentionDays: 2 });
  const question = questionOf({ aggregate: 'max', bucketMs: 86_400_000, fromMs: at, toMs: at + 4 * 86_400_000 });
  await eventually(async () => {
    const given = await second.ask(question, { deadlineMs: 10_000 });
    assert.deepEqual(given.ok && given.series[0]?.values, [[null, null, null, 20]]);
  });
  await second.close();
});

test('a clock that is years ahead does not empty the store', async () => {
  const url = `duckdb:${newFile()}`;
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const live = scenarioOptions(url);
  const first = await openDuckdbStore(live);
  await written(first, requestOf(originOf(hostA, 1), [sample('memory', at, [10, 1])]));
  await first.close();
  const lines: string[] = [];
  const log: Log = { ...silentLog, warn: (_: object, message: string) => void lines.push(message), child: () => log };
  const clock = fakeClock(at + 3 * 365 * 86_400_000);
  const wrong = await openDuckdbStore({ ...live, log, clock });
  await eventually(() => {
    clock.advance(100);
    assert.match(lines.join(), /more than a day apart/);
  });
  await wrong.close();
  const second = await openDuckdbStore(live);
  const question = questionOf({ aggregate: 'max', bucketMs: 1000, fromMs: at, toMs: at + 1000 });
  const given = await second.ask(question, { deadlineMs: 10_000 });
  assert.deepEqual(given.ok && given.series[0]?.values, [[10]]);
  await second.close();
});

test('a group that failed leaves nothing behind that is stored later beside its second attempt', async () => {
  setFlagsFromString('--expose_gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const options = scenarioOptions(`duckdb:${newFile()}`);
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const first = await openDuckdbStore(options);
  const good = requestOf(originOf(hostA, 1), [sample('memory', at, [10, 1])]);
  const bad = requestOf(originOf(hostA, 2), [sample('memory', at + 1000, [10, 1])]);
  // A time between two milliseconds cannot come from the wire; here it makes the group fail behind the good batch.
  bad.batch.timesMs[0] = at + 1000.5;
  try {
    first.write(good);
    first.write(bad);
    await eventually(() => assert.equal(first.counters()['store_groups_failed'], 1));
    for (let i = 0; i < 5; i += 1) {
      collectGarbage();
      await setImmediate();
    }
    const given = await first.ask(questionOf({ fromMs: at, toMs: at + 1000 }), { deadlineMs: 10_000 });
    assert.deepEqual(given.ok && given.series, []);
  } finally {
    await first.close();
  }
});

test('a second process is told who has the file', async () => {
  const file = newFile();
  const store = await openDuckdbStore(scenarioOptions(`duckdb:${file}`));
  const code = `import { DuckDBInstance } from '@duckdb/node-api'; await DuckDBInstance.create(process.argv[1]); console.log('open'); setInterval(() => {}, 1000);`;
  await store.close();
  const other = spawn(process.execPath, ['--input-type=module', '-e', code, file], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(other.stdout, 'data');
    await assert.rejects(
      openDuckdbStore(scenarioOptions(`duckdb:${file}`)),
      storeError('in-use', new RegExp(`PID ${other.pid ?? 0}`)),
    );
  } finally {
    other.kill('SIGKILL');
    await once(other, 'exit');
  }
  await (await openDuckdbStore(scenarioOptions(`duckdb:${file}`))).close();
});

test('the same process cannot open a file twice, and the first goes on', async () => {
  const file = newFile();
  const store = await openDuckdbStore(scenarioOptions(`duckdb:${file}`));
  await assert.rejects(openDuckdbStore(scenarioOptions(`duckdb:${file}`)), storeError('in-use', /already open/));
  assert.equal((await written(store, requestOf(originOf(hostA, 1), [sample('memory', Date.now(), [1, 1])]))).ok, true);
  await store.close();
});

test('a directory that cannot be made, a file that is something else and an empty path are said clearly', async () => {
  const file = path.join(directory, 'a-file');
  writeFileSync(file, 'not a database, but long enough to be taken for one'.repeat(100));
  await assert.rejects(
    openDuckdbStore(scenarioOptions(`duckdb:${file}/below/thrum.duckdb`)),
    storeError('directory', /a-file\/below.*THRUM_STORE/),
  );
  await assert.rejects(
    openDuckdbStore(scenarioOptions(`duckdb:${file}`)),
    storeError('not-a-store', /a-file is not a DuckDB file/),
  );
  await assert.rejects(openDuckdbStore(scenarioOptions('duckdb:')), storeError('bad-url', /no file/));
});

test('a question that takes too long is interrupted at its deadline, and the next one is answered', async () => {
  const store = await openDuckdbStore(scenarioOptions(`duckdb:${newFile()}`));
  const at = Math.floor(Date.now() / 1000) * 1000 - 600_000;
  await written(
    store,
    requestOf(
      originOf(hostA, 1),
      Array.from({ length: 8000 }, (_, i) => sample('memory', at + i, [i, i])),
    ),
  );
  const question = questionOf({ metrics: ['usage', 'used'], bucketMs: 1, fromMs: at, toMs: at + 8000 });
  assert.deepEqual(await store.ask(question, { deadlineMs: 1 }), { ok: false, code: 'deadline', detail: '' });
  const given = await store.ask({ ...question, bucketMs: 1000 }, { deadlineMs: 10_000 });
  assert.equal(given.ok && given.series[0]?.values[0]?.length, 8);
  await store.close();
});
