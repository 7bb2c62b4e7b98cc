/**
 * Whether a document that was answered 409 on its first attempt is stored after all. An agent that lost its connection sends what was not
 * acknowledged again, perhaps through another node, while the first attempt is still on its way here; whichever comes second is told
 * 409. The document in the index says which it is: the same values are our own, others are another sample with the same name.
 *
 * Read by `_id` and in real time, so a document counts from the moment it is in the translog, before any refresh. Dimensions and time
 * need no look: the `_id` is made of them. A document of 100 values takes the server 1 to 2 ms, refreshed or not.
 */
import type { Target } from '@thrum/actors/wire/schema';
import type { ElasticsearchClient } from './client.ts';
import { readDayIndexName } from './day-index.ts';

export type Collided = {
  readonly index: string;
  readonly id: string;
  /** Action and document as they were sent. */
  readonly lines: Buffer;
};

/** `unknown`: the document could not be read now. */
export type Found = 'same' | 'other' | 'unknown';

/** A request for at most so many documents, so that an answer stays around a mebibyte with a hundred values each. */
const maxPerRequest = 200;
const timeoutMs = 10_000;
const query = { _source_includes: 'm', filter_path: 'docs.found,docs._source,docs.error.type' };

type Values = Readonly<Record<string, number>>;
type Read = { readonly found?: boolean; readonly _source?: { readonly m?: Values } };

/** The same metrics with the same values; a `float` is compared as the four bytes that are kept of it. */
export const sameValues = (target: Target, sent: Values, kept: Values): boolean => {
  const names = Object.keys(sent);
  if (names.length !== Object.keys(kept).length) return false;
  const floats = new Set(target.metrics.filter((metric) => metric.type === 'float').map((metric) => metric.name));
  return names.every((name) => {
    const [a, b] = [sent[name], kept[name]];
    if (a === undefined || b === undefined) return false;
    return floats.has(name) ? Math.fround(a) === Math.fround(b) : a === b;
  });
};

const valuesOf = (lines: Buffer): Values => {
  const document = JSON.parse(lines.toString('utf8', lines.indexOf(10) + 1)) as { m: Values };
  return document.m;
};

type Options = {
  readonly client: ElasticsearchClient;
  readonly prefix: string;
  readonly catalogue: ReadonlyMap<string, Target>;
};

/** One answer per document, in order. A request that fails leaves it and those after it `unknown`. */
export const createCollisionCheck =
  ({ client, prefix, catalogue }: Options) =>
  async (all: readonly Collided[]): Promise<Found[]> => {
    const answers: Found[] = [];
    while (answers.length < all.length) {
      const some = all.slice(answers.length, answers.length + maxPerRequest);
      const body = { docs: some.map(({ index, id }) => ({ _index: index, _id: id })) };
      const reply = await client.request({ method: 'POST', path: '/_mget', query, body, timeoutMs });
      const read = reply.ok && reply.status === 200 ? (reply.body as { docs?: readonly Read[] }).docs : undefined;
      if (read?.length !== some.length) return all.map((_, i) => answers[i] ?? 'unknown');
      for (const [i, { index, lines }] of some.entries()) {
        const target = catalogue.get(readDayIndexName(prefix, index)?.target ?? '');
        const one = read[i];
        if (!target || one?.found !== true) answers.push('unknown');
        else answers.push(sameValues(target, valuesOf(lines), one._source?.m ?? {}) ? 'same' : 'other');
      }
    }
    return answers;
  };

export type CollisionCheck = ReturnType<typeof createCollisionCheck>;
