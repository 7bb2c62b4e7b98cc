/**
 * Finds, for the samples of a group, what is stored under the same series and time already: in its table, and earlier in the same group. The
 * same meaning as a 409 of Elasticsearch: the same values are our own, others are another sample.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Batch } from '@thrum/actors/wire/batch';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import { storable } from '../storable-value.ts';
import type { WriteRequest } from '../store.ts';
import { seriesKey, type NewestTimes } from './newest-times.ts';
import { tableName, type Plan } from './tables.ts';

export type Meeting = 'none' | 'same' | 'other';

export type Twins = {
  /** Looks up what may be there of these samples, before any of them is judged. */
  lookUp(of: readonly { readonly request: WriteRequest; readonly samples: readonly number[] }[]): Promise<void>;
  /** Whether the table has this very sample. */
  isThere(request: WriteRequest, i: number): boolean;
  /** Judges one sample; one that meets none is taken, and may be met by those after it. */
  take(request: WriteRequest, i: number): Meeting;
  /** The group is stored. */
  readonly committed: () => void;
  readonly counters: { compared: number };
};

/** Times asked for in one statement. */
const maxTimes = 2_000;

type Values = readonly (number | null)[];

/** Per metric column of the table, what is kept of a sample; null where there is nothing. */
const valuesOf = (plan: Plan, batch: Batch, i: number): Values => {
  const first = batch.shape.offsets[i] ?? 0;
  return plan.map(({ metric, whole }) => {
    const raw = metric < 0 ? Number.NaN : (batch.values[first + metric] ?? Number.NaN);
    const value = raw !== raw ? raw : storable(whole ? 'long' : 'float', raw);
    if (value !== value) return null;
    return whole ? value : Math.fround(value);
  });
};

const isEqual = (a: Values, b: Values): boolean => a.every((value, k) => value === b[k]);

type Wanted = { readonly target: WireTarget; readonly times: Set<number>; readonly hosts: Set<string> };

export const createTwins = (options: {
  readonly connection: DuckDBConnection;
  readonly newest: NewestTimes;
  readonly planOf: (target: WireTarget) => Plan;
}): Twins => {
  const { connection, newest, planOf } = options;
  const stored = new Map<string, Values>();
  const newestTaken = new Map<string, number>();
  const taken: { readonly key: string; readonly request: WriteRequest; readonly i: number }[] = [];
  const takenByName = new Map<string, Values>();
  const counters = { compared: 0 };
  let named = 0;

  const seriesAt = ({ batch }: WriteRequest, i: number) => {
    const series = batch.shape.series[i];
    if (!series) throw new Error('BUG: a batch has fewer series than samples');
    return series;
  };
  const timeAt = ({ batch }: WriteRequest, i: number): number => batch.timesMs[i] ?? 0;
  const nameOf = (key: string, timeMs: number): string => `${timeMs} ${key}`;

  const ask = async ({ target, hosts }: Wanted, times: readonly number[]): Promise<void> => {
    const plan = planOf(target);
    const columns = plan.map(({ name, metric }) => (metric < 0 ? `"${name}"` : `"${name}"::DOUBLE`));
    const hostIds = [...hosts];
    const found = await connection.runAndReadAll(
      `SELECT time_ms::DOUBLE, host_id, cluster${columns.map((column) => `, ${column}`).join('')} FROM "${tableName(target.name)}" WHERE time_ms BETWEEN ${times.reduce((a, b) => Math.min(a, b))} AND ${times.reduce((a, b) => Math.max(a, b))} AND time_ms IN (${times.join(', ')}) AND host_id IN (${hostIds.map((_, k) => `$${k + 1}`).join(', ')})`,
      hostIds,
    );
    for (const [timeMs, hostId, cluster, ...row] of found.getRows()) {
      const fields: string[] = [];
      const values = plan.map(({ field, metric }, k) => {
        if (field >= 0) fields[field] = String(row[k]);
        const value = row[k];
        return metric < 0 || value === null ? null : Number(value);
      });
      const key = seriesKey(String(hostId), String(cluster), target.name, fields);
      stored.set(nameOf(key, Number(timeMs)), values);
    }
  };

  const meet = (values: Values, request: WriteRequest, i: number): Meeting => {
    counters.compared += 1;
    return isEqual(valuesOf(planOf(seriesAt(request, i).target), request.batch, i), values) ? 'same' : 'other';
  };

  const takenBefore = (name: string): Values | undefined => {
    for (; named < taken.length; named += 1) {
      const one = taken[named];
      if (!one) break;
      const values = valuesOf(planOf(seriesAt(one.request, one.i).target), one.request.batch, one.i);
      takenByName.set(nameOf(one.key, timeAt(one.request, one.i)), values);
    }
    return takenByName.get(name);
  };

  return {
    counters,
    lookUp: async (of) => {
      const wanted = new Map<string, Wanted>();
      for (const { request, samples } of of)
        for (const i of samples) {
          const series = seriesAt(request, i);
          if (!newest.knows(series.target)) await newest.know(connection, series.target);
          if (timeAt(request, i) > newest.get(newest.keyOf(request.origin, series))) continue;
          const { target } = series;
          const one = wanted.get(target.name) ?? { target, times: new Set(), hosts: new Set() };
          wanted.set(target.name, one);
          one.times.add(timeAt(request, i));
          one.hosts.add(request.origin.hostId);
        }
      for (const one of wanted.values()) {
        const times = [...one.times];
        for (let at = 0; at < times.length; at += maxTimes) await ask(one, times.slice(at, at + maxTimes));
      }
    },
    isThere: (request, i) => {
      const found = stored.get(nameOf(newest.keyOf(request.origin, seriesAt(request, i)), timeAt(request, i)));
      return found !== undefined && meet(found, request, i) === 'same';
    },
    take: (request, i) => {
      const timeMs = timeAt(request, i);
      const key = newest.keyOf(request.origin, seriesAt(request, i));
      const inTable = stored.size > 0 ? stored.get(nameOf(key, timeMs)) : undefined;
      if (inTable) return meet(inTable, request, i);
      const before = newestTaken.get(key);
      if (before !== undefined && timeMs <= before) {
        const inGroup = takenBefore(nameOf(key, timeMs));
        if (inGroup) return meet(inGroup, request, i);
      } else newestTaken.set(key, timeMs);
      taken.push({ key, request, i });
      return 'none';
    },
    committed: () => {
      for (const [key, timeMs] of newestTaken) newest.set(key, timeMs);
    },
  };
};
