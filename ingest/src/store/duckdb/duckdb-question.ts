/**
 * Asks the tables. Names come from the catalogue (letters, digits, underscores) and are quoted; what a person wrote (field values) is
 * bound. Connections are reused; a question that runs out of time is interrupted.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '@thrum/actors/system/clock';
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { columnName } from '../column-name.ts';
import { bucketCount, seriesGrid, type Grid } from '../series-grid.ts';
import { readable } from '../storable-value.ts';
import type { StoreAnswer, StoreQuestion } from '../store.ts';
import type { Database } from './database.ts';
import { answerEvents } from './events-table.ts';
import { tableName } from './tables.ts';

export type Questions = {
  ask(question: StoreQuestion, deadlineMs: number): Promise<StoreAnswer>;
  askEvents(question: EventQuestion, deadlineMs: number): Promise<EventAnswer | Refusal>;
  counters(): Record<string, number>;
  close(): void;
};

const maxIdleConnections = 4;

const quoted = (name: string): string => `"${columnName(name)}"`;

const whereOf = (
  question: StoreQuestion,
  chosen: readonly (readonly string[])[],
): { sql: string; values: string[] } => {
  const values = [question.hostId];
  let sql = `host_id = $1 AND time_ms >= ${question.fromMs} AND time_ms < ${question.toMs}`;
  if (chosen.length > 0) {
    const one = (fields: readonly string[]): string =>
      `(${question.target.fields.map((field, k) => `${quoted(field)} = $${values.push(fields[k] ?? '')}`).join(' AND ')})`;
    sql += ` AND (${chosen.map(one).join(' OR ')})`;
  }
  return { sql, values };
};

const aggregateOf = (question: StoreQuestion, metric: string): string => {
  const column = quoted(metric);
  // arg_max passes over NULL, so that "last" is the last one measured
  const sql = question.aggregate === 'last' ? `arg_max(${column}, time_ms)` : `${question.aggregate}(${column})`;
  return `(${sql})::DOUBLE`;
};

const answer = async (connection: DuckDBConnection, question: StoreQuestion): Promise<StoreAnswer> => {
  const table = `"${tableName(question.target.name)}"`;
  const fields = question.target.fields.map(quoted);
  const depth = fields.length;
  let chosen: string[][] = question.fields ? [[...question.fields]] : [];
  let leftOut = 0;
  if (depth > 0 && !question.fields) {
    const { sql, values } = whereOf(question, []);
    const columns = fields.join(', ');
    const found = await connection.runAndReadAll(
      `SELECT ${columns}, count(*) AS samples, (count(*) OVER ())::INTEGER AS total FROM ${table} WHERE ${sql} GROUP BY ${columns} ORDER BY samples DESC, ${columns} LIMIT ${question.maxSeries}`,
      values,
    );
    const list = found.getRows();
    leftOut = Math.max(0, Number(list[0]?.[depth + 1] ?? 0) - question.maxSeries);
    if (leftOut > 0) chosen = list.map((row) => row.slice(0, depth).map(String));
  }
  const { sql, values } = whereOf(question, chosen);
  const select = [
    ...fields,
    `((time_ms - ${question.fromMs}) // ${question.bucketMs})::INTEGER AS bucket`,
    'max(time_ms)::DOUBLE',
    ...question.metrics.map((metric) => aggregateOf(question, metric)),
  ];
  const groups = [...fields, 'bucket'].join(', ');
  const found = await connection.runAndReadAll(
    `SELECT ${select.join(', ')} FROM ${table} WHERE ${sql} GROUP BY ${groups} ORDER BY ${groups}`,
    values,
  );
  const types = question.metrics.map((name) => question.target.metrics.find((m) => m.name === name)?.type ?? 'float');
  const grids = new Map<string, Grid>();
  for (const row of found.getRows()) {
    const names = row.slice(0, depth).map(String);
    const key = JSON.stringify(names);
    let grid = grids.get(key);
    if (!grid) grids.set(key, (grid = seriesGrid(names, question.metrics.length, bucketCount(question))));
    const numbers = row
      .slice(depth + 2)
      .map((value, k) => (value === null ? null : readable(types[k] ?? 'float', Number(value))));
    grid.set(Number(row[depth]), Number(row[depth + 1]), numbers);
  }
  return { ok: true, series: [...grids.values()].map((grid) => grid.series), startMs: question.fromMs, leftOut };
};

export const createQuestions = (database: Database, clock: Clock): Questions => {
  const idle: DuckDBConnection[] = [];
  const count = { asked: 0, failed: 0 };
  let closed = false;

  const within = async <T>(
    deadlineMs: number,
    answered: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T | Refusal> => {
    count.asked += 1;
    if (deadlineMs <= 0) return refuse('deadline');
    let connection: DuckDBConnection | undefined;
    let late = false;
    let tooLate: (refusal: Refusal) => void = () => undefined;
    const deadline = new Promise<Refusal>((resolve) => (tooLate = resolve));
    const timer = clock.after(deadlineMs, () => {
      late = true;
      connection?.interrupt();
      tooLate(refuse('deadline'));
    });
    const work = async (): Promise<T | Refusal> => {
      try {
        connection = idle.pop() ?? (await database.connect());
        const given = late ? refuse('deadline') : await answered(connection);
        if (closed || idle.length >= maxIdleConnections) connection.closeSync();
        else idle.push(connection);
        return given;
      } catch (error) {
        count.failed += 1;
        connection?.closeSync();
        return late
          ? refuse('deadline')
          : refuse('store-away', error instanceof Error ? error.message.slice(0, 300) : '');
      }
    };
    return Promise.race([work(), deadline]).finally(() => timer.cancel());
  };

  return {
    ask: (question, deadlineMs) => within(deadlineMs, (connection) => answer(connection, question)),
    askEvents: (question, deadlineMs) => within(deadlineMs, (connection) => answerEvents(connection, question)),
    counters: () => ({ store_questions_asked: count.asked, store_questions_failed: count.failed }),
    close: () => {
      closed = true;
      for (const connection of idle.splice(0)) connection.closeSync();
    },
  };
};
