/**
 * One table per target, `samples_TARGET`: time, host, fields, one column per metric. Made from the catalogue when the file is opened; a
 * metric declared later is a new column, NULL in the rows before. A column nobody declares any more stays.
 */
import { BIGINT, type DuckDBAppender, type DuckDBConnection } from '@duckdb/node-api';
import type { Batch } from '@thrum/actors/wire/batch';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import type { Target } from '@thrum/actors/wire/schema';
import { columnName } from '../column-name.ts';
import { storable } from '../storable-value.ts';
import type { Origin } from '../store.ts';

export const tableName = (target: string): string => `samples_${target}`;
export const deliveredTable = 'delivered_batches';

/** Where the values of one column of a table come from, in the order of the columns. */
export type Column = { readonly name: string; readonly whole: boolean };
export type Tables = ReadonlyMap<string, readonly Column[]>;

const own = ['time_ms', 'host_id', 'host', 'cluster', 'labels'];

const quoted = (name: string): string => `"${name}"`;

/** Makes what is missing and returns the columns of every target's table. */
export const ensureTables = async (connection: DuckDBConnection, catalogue: readonly Target[]): Promise<Tables> => {
  await connection.run(
    `CREATE TABLE IF NOT EXISTS ${deliveredTable} (host_id VARCHAR, epoch BIGINT, from_seq BIGINT, to_seq BIGINT, written_ms BIGINT)`,
  );
  const tables = new Map<string, Column[]>();
  for (const target of catalogue) {
    const table = quoted(tableName(target.name));
    const columns = [
      'time_ms BIGINT NOT NULL, host_id VARCHAR NOT NULL, host VARCHAR, cluster VARCHAR, labels VARCHAR',
      ...target.fields.map((field) => `${quoted(columnName(field.name))} VARCHAR`),
    ];
    await connection.run(`CREATE TABLE IF NOT EXISTS ${table} (${columns.join(', ')})`);
    for (const metric of target.metrics)
      await connection.run(
        `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${quoted(columnName(metric.name))} ${metric.type === 'long' ? 'BIGINT' : 'FLOAT'}`,
      );
    const described = await connection.runAndReadAll(
      `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '${tableName(target.name)}' ORDER BY ordinal_position`,
    );
    tables.set(
      target.name,
      described.getRows().map(([name, type]) => ({ name: String(name), whole: type === String(BIGINT) })),
    );
  }
  return tables;
};

/** How to append a sample of one agent's target: per column after our own, the field or metric that goes there. */
export type Plan = readonly {
  readonly name: string;
  readonly field: number;
  readonly metric: number;
  readonly whole: boolean;
}[];

export type RowAppender = {
  append(into: DuckDBAppender, origin: Origin, batch: Batch, i: number): void;
  planOf(target: WireTarget): Plan;
  readonly counters: { leftOutValues: number };
};

export const createRowAppender = (tables: Tables): RowAppender => {
  const plans = new WeakMap<WireTarget, Plan>();
  const labels = new WeakMap<Origin['labels'], string>();
  const counters = { leftOutValues: 0 };

  const planOf = (target: WireTarget): Plan => {
    const found = plans.get(target);
    if (found) return found;
    const columns = tables.get(target.name) ?? [];
    const plan = columns.slice(own.length).map(({ name, whole }) => ({
      name,
      field: target.fields.findIndex((field) => columnName(field) === name),
      metric: target.metrics.findIndex((metric) => columnName(metric.name) === name),
      whole,
    }));
    plans.set(target, plan);
    return plan;
  };

  const labelsOf = (origin: Origin): string => {
    const found = labels.get(origin.labels);
    if (found !== undefined) return found;
    const text = JSON.stringify(origin.labels);
    labels.set(origin.labels, text);
    return text;
  };

  const appendValue = (into: DuckDBAppender, whole: boolean, raw: number): void => {
    if (raw !== raw) return into.appendNull(); // NaN: nothing was measured
    const value = storable(whole ? 'long' : 'float', raw);
    if (value !== value) {
      counters.leftOutValues += 1;
      into.appendNull();
    } else if (whole) into.appendBigInt(BigInt(value));
    else into.appendFloat(value);
  };

  return {
    counters,
    planOf,
    append: (into, origin, batch, i) => {
      const series = batch.shape.series[i];
      if (!series) throw new Error('BUG: a batch has fewer series than samples');
      const first = batch.shape.offsets[i] ?? 0;
      into.appendBigInt(BigInt(batch.timesMs[i] ?? 0));
      into.appendVarchar(origin.hostId);
      into.appendVarchar(origin.hostName);
      into.appendVarchar(origin.cluster);
      into.appendVarchar(labelsOf(origin));
      for (const { field, metric, whole } of planOf(series.target)) {
        if (metric >= 0) appendValue(into, whole, batch.values[first + metric] ?? Number.NaN);
        else if (field >= 0) into.appendVarchar(series.fields[field] ?? '');
        else into.appendNull();
      }
      into.endRow();
    },
  };
};
