/**
 * The newest time stored of each series. A sample that is newer cannot meet another one of its series and time, so almost none has to be looked
 * for in its table; one that is not newer (a backlog, a clock that was set back) is looked for.
 *
 * Read from a table when its target is first written, and again after upkeep. Bounded: beyond so many series, those that have no place here
 * are always looked for.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Series } from '@thrum/actors/wire/batch';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import { columnName } from '../column-name.ts';
import type { Origin } from '../store.ts';
import { tableName } from './tables.ts';

/** Each takes about 200 bytes. */
const maxSeries = 100_000;

/** The name of a series among all of all hosts: what makes the `_id` of a document in Elasticsearch, beside the time. */
export const seriesKey = (hostId: string, cluster: string, target: string, fields: readonly string[]): string =>
  JSON.stringify([hostId, cluster, target, ...fields]);

export type NewestTimes = {
  keyOf(origin: Origin, series: Series): string;
  knows(target: WireTarget): boolean;
  /** Reads what the table of this target has. */
  know(connection: DuckDBConnection, target: WireTarget): Promise<void>;
  /** Newer than this cannot be there. */
  get(key: string): number;
  /** After the transaction that stored it. */
  set(key: string, timeMs: number): void;
  forget(): void;
};

export const createNewestTimes = (): NewestTimes => {
  const keys = new WeakMap<Series, { hostId: string; cluster: string; key: string }>();
  const newest = new Map<string, number>();
  const known = new Set<string>();
  let isFull = false;

  const set = (key: string, timeMs: number): void => {
    const before = newest.get(key);
    if (before === undefined && newest.size >= maxSeries) isFull = true;
    else if (before === undefined || timeMs > before) newest.set(key, timeMs);
  };

  return {
    set,
    keyOf: ({ hostId, cluster }, series) => {
      const found = keys.get(series);
      if (found?.hostId === hostId && found.cluster === cluster) return found.key;
      const key = seriesKey(hostId, cluster, series.target.name, series.fields);
      keys.set(series, { hostId, cluster, key });
      return key;
    },
    knows: (target) => known.has(target.name),
    know: async (connection, target) => {
      const fields = target.fields.map((field) => `"${columnName(field)}"`);
      const found = await connection.runAndReadAll(
        `SELECT max(time_ms)::DOUBLE, host_id, cluster${fields.map((field) => `, ${field}`).join('')} FROM "${tableName(target.name)}" GROUP BY ALL`,
      );
      for (const [timeMs, hostId, cluster, ...values] of found.getRows())
        set(seriesKey(String(hostId), String(cluster), target.name, values.map(String)), Number(timeMs));
      known.add(target.name);
    },
    get: (key) => newest.get(key) ?? (isFull ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
    forget: () => {
      newest.clear();
      known.clear();
      isFull = false;
    },
  };
};
