/**
 * Documents in a table of the DuckDB file. One at a time: this process is the only one that has the file, so that what was looked at still
 * holds when it is changed. Each change is one statement, which is a transaction of its own and never in the way of the samples'.
 */
import PQueue from 'p-queue';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '@thrum/actors/system/clock';
import { documentLimits, type Conflict } from '@thrum/actors/wire/documents';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { DocumentStore } from '../documents.ts';
import type { Database } from './database.ts';

const conflict: Conflict = { ok: false, reason: 'conflict' };
const maxWaiting = 200;

const ensureTable = async (connection: DuckDBConnection): Promise<void> => {
  await connection.run('CREATE SEQUENCE IF NOT EXISTS document_versions');
  await connection.run(
    'CREATE TABLE IF NOT EXISTS documents (collection VARCHAR NOT NULL, key VARCHAR NOT NULL, version BIGINT NOT NULL, value VARCHAR NOT NULL)',
  );
};

const isNumber = (version: string): boolean => /^\d{1,18}$/.test(version);

export const createDuckdbDocuments = (database: Database, clock: Clock): DocumentStore => {
  const queue = new PQueue({ concurrency: 1 });
  let isMade = false;

  type Run = (sql: string, values: string[]) => Promise<readonly (readonly unknown[])[]>;

  /** A connection per question: they are rare, and one kept open would not outlive a file that is opened anew. */
  const withConnection = async <T>(work: (run: Run) => Promise<T>): Promise<T> => {
    const connection = await database.connect();
    try {
      if (!isMade) await ensureTable(connection);
      isMade = true;
      return await work(async (sql, values) => (await connection.runAndReadAll(sql, values)).getRows());
    } finally {
      connection.closeSync();
    }
  };

  const within = async <T>(deadlineMs: number, work: (run: Run) => Promise<T>): Promise<T | Refusal> => {
    if (queue.size >= maxWaiting) return refuse('busy', `${maxWaiting} questions for documents are waiting`);
    let late = false;
    const task = async (): Promise<T | Refusal> => {
      // Nobody waits for it any more: what was refused is not done later.
      if (late) return refuse('store-away');
      try {
        return await withConnection(work);
      } catch (error) {
        return refuse('store-away', error instanceof Error ? error.message.slice(0, 300) : '');
      }
    };
    return new Promise((resolve) => {
      const timer = clock.after(deadlineMs, () => {
        late = true;
        resolve(refuse('store-away', `no answer within ${deadlineMs} ms`));
      });
      void queue.add(task).then((outcome) => {
        timer.cancel();
        resolve(outcome);
      });
    });
  };

  const insert = async (run: Run, collection: string, key: string, json: string) => {
    const [known] = await run(
      'SELECT count(*)::INTEGER, (count(*) FILTER (key = $2))::INTEGER FROM documents WHERE collection = $1',
      [collection, key],
    );
    if (Number(known?.[1]) > 0) return conflict;
    if (Number(known?.[0]) >= documentLimits.perCollection)
      return refuse(
        'bad-question',
        `${collection} holds ${documentLimits.perCollection} documents, the most that are kept: delete some`,
      );
    const [made] = await run(
      "INSERT INTO documents VALUES ($1, $2, nextval('document_versions'), $3) RETURNING version::VARCHAR",
      [collection, key, json],
    );
    return { ok: true, version: String(made?.[0]) } as const;
  };

  return {
    get: (collection, key, { deadlineMs }) =>
      within(deadlineMs, async (run) => {
        const [found] = await run('SELECT version::VARCHAR, value FROM documents WHERE collection = $1 AND key = $2', [
          collection,
          key,
        ]);
        const document = found && { version: String(found[0]), value: JSON.parse(String(found[1])) as unknown };
        return { ok: true, document } as const;
      }),
    put: (collection, key, value, ifVersion, { deadlineMs }) =>
      within(deadlineMs, async (run) => {
        const json = JSON.stringify(value);
        if (ifVersion === null) return insert(run, collection, key, json);
        if (!isNumber(ifVersion)) return conflict;
        const [changed] = await run(
          "UPDATE documents SET version = nextval('document_versions'), value = $4 WHERE collection = $1 AND key = $2 AND version = $3::BIGINT RETURNING version::VARCHAR",
          [collection, key, ifVersion, json],
        );
        return changed ? ({ ok: true, version: String(changed[0]) } as const) : conflict;
      }),
    delete: (collection, key, ifVersion, { deadlineMs }) =>
      within(deadlineMs, async (run) => {
        if (!isNumber(ifVersion)) return conflict;
        const deleted = await run(
          'DELETE FROM documents WHERE collection = $1 AND key = $2 AND version = $3::BIGINT RETURNING key',
          [collection, key, ifVersion],
        );
        return deleted.length > 0 ? ({ ok: true } as const) : conflict;
      }),
    list: (collection, { deadlineMs }) =>
      within(deadlineMs, async (run) => {
        const [size] = await run(
          'SELECT coalesce(sum(strlen(value) + strlen(key)), 0)::BIGINT FROM documents WHERE collection = $1',
          [collection],
        );
        if (Number(size?.[0]) > documentLimits.listBytes)
          return refuse('too-large', `the documents of ${collection} together have ${Number(size?.[0])} bytes`);
        const rows = await run(
          'SELECT key, version::VARCHAR, value FROM documents WHERE collection = $1 ORDER BY key',
          [collection],
        );
        const documents = rows.map(([key, version, value]) => ({
          ...{ key: String(key), version: String(version), value: JSON.parse(String(value)) as unknown },
        }));
        return { ok: true, documents } as const;
      }),
  };
};
