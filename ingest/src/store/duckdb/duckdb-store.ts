/** The embedded store: one DuckDB file, one process, no server. The default on one machine; same promises as Elasticsearch. */
import { defaultMaxHeldBytes } from '../admissible.ts';
import { createHealth } from '../health.ts';
import { createLetterAllowance } from '../letter-allowance.ts';
import type { Store, StoreOptions } from '../store.ts';
import { openDatabase, type Database } from './database.ts';
import { createDuckdbDocuments } from './duckdb-documents.ts';
import { createQuestions } from './duckdb-question.ts';
import { startGroupWriter } from './group-writer.ts';

const upkeepEveryMs = 60 * 60_000;
const closeWithinMs = 2_000;

/**
 * Throws a `StoreError` when the file cannot be opened: its directory, another process that has it, another kind of file. With a database it
 * takes that one, and closes it in the end.
 */
export const openDuckdbStore = async (options: StoreOptions & { readonly database?: Database }): Promise<Store> => {
  const { clock } = options;
  const log = options.log.child({ store: 'duckdb' });
  const database = options.database ?? (await openDatabase(options.url.replace(/^duckdb:/, '')));
  const health = createHealth(clock, log, database.file);
  const catalogue = new Map(options.catalogue.map((target) => [target.name, target]));
  const { retentionDays, maxHeldBytes = defaultMaxHeldBytes } = options;
  let writer;
  try {
    const allowance = createLetterAllowance(clock, log);
    writer = await startGroupWriter({
      database,
      catalogue,
      retentionDays,
      maxHeldBytes,
      health,
      allowance,
      clock,
      log,
    });
  } catch (error) {
    database.close();
    throw error;
  }
  const questions = createQuestions(database, clock);
  const timer = clock.every(upkeepEveryMs, () => writer.upkeep());
  writer.upkeep();
  let closed = false;
  return {
    kind: 'duckdb',
    write: (request) => writer.write(request),
    writeEvents: (request) => writer.writeEvents(request),
    room: () => writer.room(),
    ask: (question, { deadlineMs }) => questions.ask(question, deadlineMs),
    askEvents: (question, { deadlineMs }) => questions.askEvents(question, deadlineMs),
    documents: createDuckdbDocuments(database, clock),
    health: () => health.now(),
    onHealth: (listener) => health.on(listener),
    counters: () => ({ ...writer.counters(), ...questions.counters() }),
    close: async () => {
      if (closed) return;
      closed = true;
      timer.cancel();
      await writer.close(closeWithinMs);
      questions.close();
      database.close();
    },
  };
};
