/**
 * An Elasticsearch server in memory, as far as a store uses one: indices with a mapping, bulks of `create`, reading by `_id` in real time.
 * What it has answered as written it keeps over restarts. It follows the real one where that decides something about delivery:
 *
 * - The `_id` in a time-series index is made of the dimensions and the time: the second document of a series and time is told 409, whatever its
 *   values; a time outside of the bounds of the index is told 400. In other indices the `_id` is the one given, or a new one without any.
 * - A bulk is judged document by document, inside of an answer with status 200; no bulk makes an index.
 * - Whoever gets no answer knows nothing: the request may have been done all the same.
 */
import type { Ask } from '../../ingest/src/store/elasticsearch/client.ts';

export type StoredDocument = {
  readonly index: string;
  readonly id: string;
  readonly source: Readonly<Record<string, unknown>>;
};

/** What a plan may make of the server, one at a time; `undefined`: it does what it should. */
export type StoreTrouble = {
  /** Share of documents told 429 (too busy, or its disk is full), 503 without and 503 after having been written. */
  readonly busyItems?: number;
  readonly failedItems?: number;
  readonly failedAfterItems?: number;
  /** Share of requests told 429 or 503 as a whole. */
  readonly busy?: number;
  readonly unavailable?: number;
  /** Share of requests that are never heard of again: not done, or done. */
  readonly lost?: number;
  readonly lostAfter?: number;
  /** Not a soul: connections are refused, or hang until the asking side gives up. */
  readonly gone?: 'refuses' | 'hangs';
  /** A proxy before it takes no larger bulks. */
  readonly maxItems?: number;
  /** It takes its time. */
  readonly slowMs?: number;
};

type Index = {
  readonly dimensions: readonly string[] | undefined;
  readonly fromMs: number;
  readonly toMs: number;
  readonly documents: Map<string, StoredDocument>;
};

/** `undefined`: no answer comes, ever. */
export type ServerAnswer = { readonly status: number; readonly body: unknown } | undefined;
type Item = { readonly index: string; readonly id: string | undefined; readonly source: Record<string, unknown> };
type ItemAnswer = { readonly _id: string; readonly status: number; readonly error?: { type: string; reason: string } };

const error = (status: number, type: string): ServerAnswer => ({
  status,
  body: { error: { type, reason: 'as simulated' }, status },
});

const timeSettings = (body: object): { mode?: string; time_series?: { start_time: string; end_time: string } } => {
  const { settings } = body as { settings?: { index?: object; mode?: string } };
  return settings?.index ?? settings ?? {};
};

const propertiesOf = (body: object): Record<string, { time_series_dimension?: boolean }> =>
  (body as { mappings?: { properties?: Record<string, { time_series_dimension?: boolean }> } }).mappings?.properties ??
  {};

export class SimulatedElasticsearch {
  readonly #indices = new Map<string, Index>();
  readonly #random: () => number;
  readonly #watch: (document: StoredDocument) => void;
  readonly #isPoison: (source: Readonly<Record<string, unknown>>) => boolean;
  readonly #wallMs: () => number;
  #ids = 0;
  trouble: StoreTrouble = {};

  /** `stored` hears of each document that is there from now on. A poisonous one does not fit the mapping, ever. */
  constructor(options: {
    random: () => number;
    /** Its clock is right. */
    wallMs: () => number;
    stored: (document: StoredDocument) => void;
    isPoison: (source: Readonly<Record<string, unknown>>) => boolean;
  }) {
    this.#random = options.random;
    this.#watch = options.stored;
    this.#isPoison = options.isPoison;
    this.#wallMs = options.wallMs;
  }

  *documents(): Generator<StoredDocument> {
    for (const index of this.#indices.values()) yield* index.documents.values();
  }

  /** By an operator who does not know what depends on it. Returns what was in it. */
  deleteIndex(draw: number): readonly StoredDocument[] {
    const names = [...this.#indices.keys()];
    const name = names[Math.floor(draw * names.length)];
    const index = name === undefined ? undefined : this.#indices.get(name);
    if (name === undefined || !index) return [];
    this.#indices.delete(name);
    return [...index.documents.values()];
  }

  answer(ask: Pick<Ask, 'method' | 'path' | 'body'>, items: readonly Item[]): ServerAnswer {
    const { busy = 0, unavailable = 0, lost = 0, lostAfter = 0, maxItems = Infinity } = this.trouble;
    const chance = (rate: number): boolean => rate > 0 && this.#random() < rate;
    if (chance(lost)) return undefined;
    if (chance(busy)) return error(429, 'es_rejected_execution_exception');
    if (chance(unavailable)) return error(503, 'unavailable');
    if (items.length > maxItems) return error(413, 'too_large');
    const answer = this.#act(ask, items);
    return chance(lostAfter) ? undefined : answer;
  }

  #act({ method, path, body = {} }: Pick<Ask, 'method' | 'path' | 'body'>, items: readonly Item[]): ServerAnswer {
    if (path === '/_bulk') {
      const answers = items.map((item) => ({ create: this.#create(item) }));
      return { status: 200, body: { errors: answers.some(({ create }) => create.status >= 300), items: answers } };
    }
    if (path === '/_mget') {
      const { docs } = body as { docs: readonly { _index: string; _id: string }[] };
      return { status: 200, body: { docs: docs.map(({ _index, _id }) => this.#read(_index, _id)) } };
    }
    if (path === '/_nodes/_local/stats/os')
      return { status: 200, body: { nodes: { simulated: { timestamp: this.#wallMs() } } } };
    const name = path.slice(1);
    if (method === 'PUT' && !name.includes('/')) {
      if (this.#indices.has(name)) return error(400, 'resource_already_exists_exception');
      this.#make(name, body);
      return { status: 200, body: { acknowledged: true } };
    }
    if (method === 'DELETE')
      return this.#indices.delete(name) ? { status: 200, body: {} } : error(404, 'index_not_found_exception');
    if (path.startsWith('/_cat/indices'))
      return { status: 200, body: [...this.#indices.keys()].map((index) => ({ index })) };
    if (name.endsWith('/_mapping') && !this.#indices.has(name.split('/')[0] ?? ''))
      return error(404, 'index_not_found_exception');
    return { status: 200, body: { status: 'green' } };
  }

  #make(name: string, body: object): void {
    const { mode, time_series: bounds } = timeSettings(body);
    const dimensions = Object.entries(propertiesOf(body)).flatMap(([key, { time_series_dimension: is }]) =>
      is === true ? [key] : [],
    );
    this.#indices.set(name, {
      dimensions: mode === 'time_series' ? dimensions : undefined,
      fromMs: bounds ? Date.parse(bounds.start_time) : -Infinity,
      toMs: bounds ? Date.parse(bounds.end_time) : Infinity,
      documents: new Map(),
    });
  }

  #create({ index: name, id: given, source }: Item): ItemAnswer {
    const { busyItems = 0, failedItems = 0, failedAfterItems = 0 } = this.trouble;
    const fails = (status: number, type: string): ItemAnswer => ({
      _id: given ?? '',
      status,
      error: { type, reason: 'as simulated' },
    });
    const chance = (rate: number): boolean => rate > 0 && this.#random() < rate;
    if (chance(busyItems)) return fails(429, 'cluster_block_exception');
    if (chance(failedItems)) return fails(503, 'unavailable_shards_exception');
    const index = this.#indices.get(name);
    if (!index) return fails(404, 'index_not_found_exception');
    if (this.#isPoison(source)) return fails(400, 'document_parsing_exception');
    let id = given;
    if (index.dimensions) {
      const timeMs = Number(source['@timestamp']);
      if (given !== undefined || !(timeMs >= index.fromMs && timeMs < index.toMs))
        return fails(400, 'illegal_argument_exception');
      id = JSON.stringify([...index.dimensions.map((key) => source[key]), timeMs]);
    }
    id ??= `made ${(this.#ids += 1)}`;
    if (index.documents.has(id)) return { ...fails(409, 'version_conflict_engine_exception'), _id: id };
    const document = { index: name, id, source };
    index.documents.set(id, document);
    this.#watch(document);
    return chance(failedAfterItems)
      ? { ...fails(503, 'unavailable_shards_exception'), _id: id }
      : { _id: id, status: 201 };
  }

  #read(name: string, id: string): object {
    const index = this.#indices.get(name);
    if (!index) return { error: { type: 'index_not_found_exception' } };
    const found = index.documents.get(id);
    return found ? { found: true, _source: found.source } : { found: false };
  }
}

/** The documents of a bulk, read when it is sent: what the sender does to its buffer afterwards is not on the way any more. */
export const readBulk = (lines: Buffer): Item[] => {
  const texts = lines.toString('utf8').split('\n');
  const items: Item[] = [];
  for (let at = 0; at + 1 < texts.length; at += 2) {
    const { create } = JSON.parse(texts[at] ?? '') as { create: { _index: string; _id?: string } };
    const source = JSON.parse(texts[at + 1] ?? '') as Record<string, unknown>;
    items.push({ index: create._index, id: create._id, source });
  }
  return items;
};
