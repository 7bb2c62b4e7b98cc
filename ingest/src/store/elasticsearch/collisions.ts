/**
 * Whether a sample that was answered 409 is stored after all. A 409 alone says that the series has a sample at this time: our own, from an
 * attempt that nobody heard of, or another one. The stored document says which it is: the same values are our own, others are another sample.
 * Dimensions and time need no look: the `_id` is made of them. Always, whoever says what; no claim of anybody replaces the look.
 *
 * Three looks, each for what the one before did not settle. Columns, by a search (0.25 ms for a document of 100 values, half of what
 * writing it costs the server): what was written more than a refresh ago. The same after a refresh. Then the source by `_id` in real time
 * (2 ms), which also is the only one that may say "other": a column that the mapping of the day does not know is in the source alone.
 *
 * Bounded: at most one request at a time for each bulk on its way, for so many documents each.
 */
import type { Target } from '@thrum/actors/wire/schema';
import type { Found } from '../rules.ts';
import type { ElasticsearchClient } from './client.ts';
import { readDayIndexName } from './day-index.ts';

export type Collided = {
  readonly index: string;
  readonly id: string;
  /** Action and document as they were sent. */
  readonly lines: Buffer;
};

type Values = Readonly<Record<string, number>>;
type Known = { readonly names: ReadonlySet<string>; readonly floats: ReadonlySet<string> };

/** A request for at most so many documents, so that an answer stays around a mebibyte with a hundred values each. */
const maxPerRequest = 250;
const timeoutMs = 10_000;
const readQuery = { _source_includes: 'm', filter_path: 'docs.found,docs._source,docs.error.type' };
const searchQuery = {
  filter_path: 'hits.hits._index,hits.hits._id,hits.hits.fields',
  ignore_unavailable: true,
};
const column = 'm.';

const knownOf = ({ metrics }: Target): Known => ({
  names: new Set(metrics.map((metric) => metric.name)),
  floats: new Set(metrics.filter((metric) => metric.type === 'float').map((metric) => metric.name)),
});

/**
 * The same metrics with the same values; a `float` is compared as the four bytes that are kept of it. What the catalogue here does not know is
 * passed over: a newer node stored it, and it was left out of what was sent.
 */
export const sameValues = ({ names, floats }: Known, sent: Values, kept: Values): boolean => {
  let common = 0;
  for (const name in kept) {
    if (!names.has(name)) continue;
    const [a, b] = [sent[name], kept[name]];
    if (a === undefined || b === undefined) return false;
    if (floats.has(name) ? Math.fround(a) !== Math.fround(b) : a !== b) return false;
    common += 1;
  }
  return common === Object.keys(sent).length;
};

const valuesOf = (lines: Buffer): Values => {
  const document = JSON.parse(lines.toString('utf8', lines.indexOf(10) + 1)) as { m: Values };
  return document.m;
};

type Hit = {
  readonly _index: string;
  readonly _id: string;
  readonly fields?: Readonly<Record<string, readonly number[]>>;
};
type Read = { readonly found?: boolean; readonly _source?: { readonly m?: Values } };

/** The values of a hit, as they stand in its columns. */
const columnsOf = (hit: Hit): Values => {
  const values: Record<string, number> = {};
  for (const name in hit.fields) {
    const value = hit.fields[name]?.[0];
    if (name.startsWith(column) && value !== undefined) values[name.slice(column.length)] = value;
  }
  return values;
};

const namesOf = (some: readonly Collided[]): string => [...new Set(some.map(({ index }) => index))].join(',');

type Options = {
  readonly client: Pick<ElasticsearchClient, 'request'>;
  readonly prefix: string;
  readonly catalogue: ReadonlyMap<string, Target>;
};

export type CollisionCheck = {
  /** One answer per document, in order. */
  check(all: readonly Collided[]): Promise<Found[]>;
  readonly counters: { compared: number; requests: number };
};

export const createCollisionCheck = ({ client, prefix, catalogue }: Options): CollisionCheck => {
  const counters = { compared: 0, requests: 0 };
  const knownByIndex = new Map<string, Known | undefined>();

  const knownFor = (index: string): Known | undefined => {
    if (!knownByIndex.has(index)) {
      if (knownByIndex.size > 1_000) knownByIndex.clear();
      const target = catalogue.get(readDayIndexName(prefix, index)?.target ?? '');
      knownByIndex.set(index, target && knownOf(target));
    }
    return knownByIndex.get(index);
  };

  const isSame = ({ index, lines }: Collided, kept: Values): boolean => {
    const known = knownFor(index);
    return known !== undefined && sameValues(known, valuesOf(lines), kept);
  };

  /** What the columns say: found or not, the same or not; `undefined` without an answer. */
  const search = async (some: readonly Collided[]): Promise<Map<Collided, boolean> | undefined> => {
    counters.requests += 1;
    const reply = await client.request({
      method: 'POST',
      path: `/${namesOf(some)}/_search`,
      query: searchQuery,
      body: {
        size: some.length,
        track_total_hits: false,
        _source: false,
        query: { ids: { values: some.map(({ id }) => id) } },
        docvalue_fields: [`${column}*`],
      },
      timeoutMs,
    });
    if (!reply.ok) return undefined;
    const body = (reply.status === 200 ? reply.body : {}) as { hits?: { hits?: readonly Hit[] } } | null;
    const hits = new Map((body?.hits?.hits ?? []).map((hit) => [`${hit._index}/${hit._id}`, hit]));
    const found = new Map<Collided, boolean>();
    for (const one of some) {
      const hit = hits.get(`${one.index}/${one.id}`);
      if (hit) found.set(one, isSame(one, columnsOf(hit)));
    }
    return found;
  };

  const read = async (some: readonly Collided[]): Promise<Found[]> => {
    counters.requests += 1;
    const body = { docs: some.map(({ index, id }) => ({ _index: index, _id: id })) };
    const reply = await client.request({ method: 'POST', path: '/_mget', query: readQuery, body, timeoutMs });
    const answer = (reply.ok && reply.status === 200 ? reply.body : {}) as { docs?: readonly Read[] } | null;
    const docs = answer?.docs?.length === some.length ? answer.docs : [];
    return some.map((one, i) => {
      const found = docs[i];
      if (found?.found !== true || !knownFor(one.index)) return 'unknown';
      return isSame(one, found._source?.m ?? {}) ? 'same' : 'other';
    });
  };

  /** `undefined` when the server does not answer: it would not for the next ones either. */
  const checkSome = async (some: readonly Collided[]): Promise<Found[] | undefined> => {
    const found = await search(some);
    if (!found) return undefined;
    const unseen = some.filter((one) => !found.has(one));
    if (unseen.length > 0) {
      const query = { ignore_unavailable: true };
      await client.request({ method: 'POST', path: `/${namesOf(unseen)}/_refresh`, query, timeoutMs });
      const now = await search(unseen);
      if (!now) return undefined;
      for (const [one, isOurs] of now) found.set(one, isOurs);
    }
    const open = some.filter((one) => found.get(one) !== true);
    const answers = open.length > 0 ? await read(open) : [];
    const byItem = new Map(open.map((one, i) => [one, answers[i] ?? 'unknown']));
    return some.map((one) => byItem.get(one) ?? 'same');
  };

  return {
    counters,
    check: async (all) => {
      counters.compared += all.length;
      // Those of one index together: a search looks for every id in every index that it names.
      const sorted = all.toSorted((a, b) => (a.index < b.index ? -1 : a.index > b.index ? 1 : 0));
      const answers = new Map<Collided, Found>();
      for (let at = 0; at < sorted.length; at += maxPerRequest) {
        const some = sorted.slice(at, at + maxPerRequest);
        const found = await checkSome(some);
        if (!found) break;
        for (const [k, one] of some.entries()) answers.set(one, found[k] ?? 'unknown');
      }
      return all.map((one) => answers.get(one) ?? 'unknown');
    },
  };
};
