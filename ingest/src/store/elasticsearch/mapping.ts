/**
 * The mapping and settings of a target's day index, derived from its declaration alone: nothing is ever mapped from a value.
 *
 * `mappingVersion` is kept in the index; raise it with one line of history when documents change.
 *   1  first version: dimensions host_id, cluster and fields; host and label beside them; values under m
 */
import type { Target } from '@thrum/actors/wire/schema';
import { columnName } from '../column-name.ts';
import { dayMs } from '../sample-time.ts';
import type { Day } from './day-index.ts';

export const mappingVersion = 1;

/** Longer keywords could not be indexed; the wire's bounds are far below. */
export const maxKeywordChars = 1024;

type Mapping = { readonly dynamic: false; readonly _meta: object; readonly properties: object };

export const mappingOf = (target: Target): Mapping => {
  const dimension = { type: 'keyword', time_series_dimension: true };
  return {
    dynamic: false,
    _meta: { thrum: { mapping: mappingVersion, target: target.name } },
    properties: {
      '@timestamp': { type: 'date' },
      cluster: dimension,
      host_id: dimension,
      host: { type: 'keyword', ignore_above: maxKeywordChars },
      // one field for all labels: any key is possible, and a thousand keys make no thousand fields
      label: { type: 'flattened', ignore_above: maxKeywordChars },
      ...Object.fromEntries(target.fields.map((field) => [columnName(field.name), dimension])),
      m: {
        properties: Object.fromEntries(
          target.metrics.map((metric) => [metric.name, { type: metric.type, time_series_metric: metric.kind }]),
        ),
      },
    },
  };
};

export const settingsOf = (target: Target, day: Day, replicas: number): object => ({
  index: {
    mode: 'time_series',
    routing_path: ['host_id', ...target.fields.map((field) => columnName(field.name))],
    time_series: {
      start_time: new Date(day * dayMs).toISOString(),
      end_time: new Date((day + 1) * dayMs).toISOString(),
    },
    number_of_shards: 1,
    number_of_replicas: replicas,
    // history may be this much behind; the live view covers the newest minutes (decisions/0003-refresh.md)
    refresh_interval: '5s',
    mapping: { total_fields: { limit: 2000 } },
    // all values of a document are read at once where it is compared with one sent again
    max_docvalue_fields_search: 2000,
  },
});
