/**
 * Asks the day indices. One request answers most questions: a composite over the target's fields (each series a bucket, in pages, because
 * a server answers at most 65,536 buckets at once) with a date histogram inside. Only plain aggregations, which every server has.
 */
import type { Clock } from '@thrum/actors/system/clock';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { columnName } from '../column-name.ts';
import type { Health } from '../health.ts';
import { bucketCount, seriesGrid } from '../series-grid.ts';
import { readable } from '../storable-value.ts';
import type { StoreAnswer, StoreQuestion, StoreSeries } from '../store.ts';
import { reasonOf, type ElasticsearchClient } from './client.ts';
import { dayIndexPattern } from './day-index.ts';

export type Search = {
  ask(question: StoreQuestion, deadlineMs: number): Promise<StoreAnswer>;
  counters(): Record<string, number>;
};

type Options = {
  readonly client: ElasticsearchClient;
  readonly prefix: string;
  readonly health: Health;
  readonly clock: Clock;
};

const maxBucketsPerRequest = 50_000;
const listPage = 5_000;

type Hit = { readonly fields?: Readonly<Record<string, readonly number[]>> };
type Bucket = Readonly<
  Record<`v${number}`, { readonly value?: number | null; readonly top?: { hits: { hits: readonly Hit[] } } }>
> & {
  readonly key: number;
  readonly last: { readonly value: number };
};
type Histogram = { readonly buckets: readonly Bucket[] };
type Keyed = { readonly key: Readonly<Record<string, string>>; readonly doc_count: number; readonly time?: Histogram };
type Aggregations = {
  readonly series?: { readonly buckets: readonly Keyed[]; readonly after_key?: object };
  readonly time?: Histogram;
};
type Asked = { readonly ok: true; readonly aggregations: Aggregations } | Refusal;

const modulo = (n: number, by: number): number => ((n % by) + by) % by;

export const createSearch = ({ client, prefix, health, clock }: Options): Search => {
  const count = { asked: 0, failed: 0 };

  const request = async (question: StoreQuestion, until: number, filter: object[], aggs: object): Promise<Asked> => {
    const timeoutMs = until - clock.monotonicMs();
    if (timeoutMs <= 0) return refuse('deadline');
    const base = [
      { term: { host_id: question.hostId } },
      { range: { '@timestamp': { gte: question.fromMs, lt: question.toMs, format: 'epoch_millis' } } },
    ];
    const reply = await client.request({
      method: 'POST',
      path: `/${dayIndexPattern(prefix, question.target.name)}/_search`,
      query: { ignore_unavailable: true, allow_no_indices: true, filter_path: 'timed_out,_shards.failed,aggregations' },
      body: { size: 0, track_total_hits: false, query: { bool: { filter: [...base, ...filter] } }, aggs },
      timeoutMs: Math.max(1, Math.ceil(timeoutMs)),
    });
    if (!reply.ok) {
      count.failed += 1;
      if (reply.reason === 'timeout') return refuse('deadline');
      health.down(reply.detail);
      return refuse('store-away');
    }
    const body = reply.body as { aggregations?: Aggregations; _shards?: { failed?: number } };
    if (reply.status === 200 && (body._shards?.failed ?? 0) === 0)
      return { ok: true, aggregations: body.aggregations ?? {} };
    count.failed += 1;
    return refuse('store-away', reply.status === 200 ? 'a part of the indices does not answer' : reasonOf(reply));
  };

  const perBucket = (question: StoreQuestion): object => ({
    date_histogram: {
      field: '@timestamp',
      fixed_interval: `${question.bucketMs}ms`,
      offset: `${modulo(question.fromMs, question.bucketMs)}ms`,
      min_doc_count: 1,
    },
    aggs: {
      last: { max: { field: '@timestamp' } },
      ...Object.fromEntries(
        question.metrics.map((metric, k): [string, object] => {
          const field = `m.${metric}`;
          if (question.aggregate !== 'last') return [`v${k}`, { [question.aggregate]: { field } }];
          const sort = [{ '@timestamp': 'desc' }];
          const top = { top_hits: { size: 1, _source: false, docvalue_fields: [field], sort } };
          return [`v${k}`, { filter: { exists: { field } }, aggs: { top } }];
        }),
      ),
    },
  });

  const toSeries = (question: StoreQuestion, fields: readonly string[], histogram: Histogram): StoreSeries => {
    const grid = seriesGrid(fields, question.metrics.length, bucketCount(question));
    const types = question.metrics.map((name) => question.target.metrics.find((m) => m.name === name)?.type ?? 'float');
    for (const bucket of histogram.buckets) {
      const row = question.metrics.map((metric, k) => {
        const found = bucket[`v${k}`];
        const value = found?.top ? found.top.hits.hits[0]?.fields?.[`m.${metric}`]?.[0] : found?.value;
        return value === undefined || value === null ? null : readable(types[k] ?? 'float', value);
      });
      grid.set((bucket.key - question.fromMs) / question.bucketMs, bucket.last.value, row);
    }
    return grid.series;
  };

  const columns = (question: StoreQuestion): string[] => question.target.fields.map(columnName);
  const sourcesOf = (question: StoreQuestion): object[] =>
    columns(question).map((field, k) => ({ [`f${k}`]: { terms: { field } } }));
  const fieldsOf = (question: StoreQuestion, key: Keyed['key']): string[] =>
    question.target.fields.map((_, k) => key[`f${k}`] ?? '');
  const isSeries = (question: StoreQuestion, fields: readonly string[]): object[] =>
    columns(question).map((field, k) => ({ term: { [field]: fields[k] ?? '' } }));

  /** Up to `maxSeries` series, page by page. */
  const answered = async (
    question: StoreQuestion,
    until: number,
    filter: object[],
  ): Promise<{ ok: true; series: StoreSeries[] } | Refusal> => {
    const series: StoreSeries[] = [];
    const pageSize = Math.max(1, Math.floor(maxBucketsPerRequest / bucketCount(question)));
    let after: object | undefined;
    while (series.length < question.maxSeries) {
      const size = Math.min(pageSize, question.maxSeries - series.length);
      const composite = { size, sources: sourcesOf(question), ...(after ? { after } : {}) };
      const asked = await request(question, until, filter, {
        series: { composite, aggs: { time: perBucket(question) } },
      });
      if (!asked.ok) return asked;
      const found = asked.aggregations.series;
      for (const one of found?.buckets ?? [])
        series.push(toSeries(question, fieldsOf(question, one.key), one.time ?? { buckets: [] }));
      after = found?.after_key;
      if (!after || (found?.buckets.length ?? 0) < size) break;
    }
    return { ok: true, series };
  };

  /** Every series of the host and range, the one with most samples first. */
  const listed = async (question: StoreQuestion, until: number): Promise<{ ok: true; list: Keyed[] } | Refusal> => {
    const list: Keyed[] = [];
    let after: object | undefined;
    do {
      const composite = { size: listPage, sources: sourcesOf(question), ...(after ? { after } : {}) };
      const asked = await request(question, until, [], { series: { composite } });
      if (!asked.ok) return asked;
      list.push(...(asked.aggregations.series?.buckets ?? []));
      after = asked.aggregations.series?.after_key;
    } while (after);
    return { ok: true, list: list.sort((a, b) => b.doc_count - a.doc_count) };
  };

  const ask = async (question: StoreQuestion, deadlineMs: number): Promise<StoreAnswer> => {
    count.asked += 1;
    const until = clock.monotonicMs() + deadlineMs;
    const startMs = question.fromMs;
    if (question.target.fields.length === 0 || question.fields) {
      const filter = question.fields ? isSeries(question, question.fields) : [];
      const asked = await request(question, until, filter, { time: perBucket(question) });
      if (!asked.ok) return asked;
      const histogram = asked.aggregations.time;
      const series =
        histogram && histogram.buckets.length > 0 ? [toSeries(question, question.fields ?? [], histogram)] : [];
      return { ok: true, series, startMs, leftOut: 0 };
    }
    const first = await answered(question, until, []);
    if (!first.ok) return first;
    if (first.series.length < question.maxSeries) return { ok: true, series: first.series, startMs, leftOut: 0 };
    const all = await listed(question, until);
    if (!all.ok) return all;
    const leftOut = all.list.length - question.maxSeries;
    if (leftOut <= 0) return { ok: true, series: first.series, startMs, leftOut: 0 };
    const chosen = all.list.slice(0, question.maxSeries).map((one) => fieldsOf(question, one.key));
    const should = chosen.map((fields) => ({ bool: { filter: isSeries(question, fields) } }));
    const second = await answered(question, until, [{ bool: { should, minimum_should_match: 1 } }]);
    return second.ok ? { ok: true, series: second.series, startMs, leftOut } : second;
  };

  return { ask, counters: () => ({ store_questions_asked: count.asked, store_questions_failed: count.failed }) };
};
