/**
 * Makes indices before the first document goes into them, and deletes the outdated ones. A bulk must never make an index: it would have no
 * mapping and no day, and a deleted day would come back; a template per kind forbids it to the server.
 *
 * Several ingest nodes do this at the same time: "exists already" is success.
 */
import type { Log } from '@thrum/actors/system/log';
import { outdatedByMs } from '../outdated.ts';
import { errorTypeOf, reasonOf, type ElasticsearchClient, type Reply } from './client.ts';

/** One kind of index: days of samples, months of events, months of dead letters. */
export type IndexKind = {
  /** The template that forbids the server to make one by itself. */
  readonly template: string;
  readonly pattern: string;
  /** How the index of this name is made; `undefined` when it is none of this kind. */
  define(name: string): { readonly settings: object; readonly mappings: Mappings } | undefined;
  /** Of an index of samples: no sample in it is newer. */
  readonly newestMs?: (name: string) => number | undefined;
  readonly isOutdated: (name: string, nowMs: number) => boolean;
};
type Mappings = { readonly dynamic: false; readonly _meta: object; readonly properties: object };

export type Ensured = { readonly ok: true } | { readonly ok: false; readonly reply: Reply };

export type Indices = {
  /** Makes the named index unless it is known to be there. Not ok: try again later. */
  ensure(name: string): Promise<Ensured>;
  /** The server says it is not there after all. */
  forget(name: string): void;
  forgetAll(): void;
  /** Names of what is known to be there. */
  known(): readonly string[];
  forbidAutomatic(): Promise<void>;
  /** Deletes what is older than what is kept, by the clock and by the newest samples; returns the deleted names. */
  deleteOutdated(nowMs: number): Promise<string[]>;
};

type Options = {
  readonly client: Pick<ElasticsearchClient, 'request'>;
  readonly kinds: readonly IndexKind[];
  readonly log: Log;
};

const timeoutMs = 30_000;
/** Names known at most: 200 targets with five days are 1,000. Beyond it all are looked for again. */
const maxKnown = 5_000;

export const createIndices = ({ client, kinds, log }: Options): Indices => {
  const known = new Set<string>();
  const making = new Map<string, Promise<Ensured>>();

  const definitionOf = (name: string) => {
    for (const kind of kinds) {
      const definition = kind.define(name);
      if (definition) return definition;
    }
    throw new Error(`BUG: ${name} is no index of ours`);
  };

  const make = async (name: string): Promise<Ensured> => {
    const { settings, mappings } = definitionOf(name);
    // a new index counts as made as soon as its primary is on its way; waiting for replicas would stall a one-node cluster
    const reply = await client.request({
      method: 'PUT',
      path: `/${name}`,
      query: { wait_for_active_shards: 1 },
      body: { settings, mappings },
      timeoutMs,
    });
    if (reply.ok && reply.status === 200) log.info({ index: name }, 'index made');
    else if (errorTypeOf(reply) === 'resource_already_exists_exception') {
      // made by another node, or before an upgrade that declared more of it
      const { properties, _meta } = mappings;
      const body = { properties, _meta };
      const updated = await client.request({ method: 'PUT', path: `/${name}/_mapping`, body, timeoutMs });
      if (!updated.ok || updated.status >= 500 || updated.status === 404) return { ok: false, reply: updated };
      if (updated.status !== 200)
        log.error(
          { index: name, reason: reasonOf(updated) },
          'the mapping of this index does not fit what is declared here; it fits from the next one on',
        );
    } else return { ok: false, reply };
    if (known.size >= maxKnown) known.clear();
    known.add(name);
    return { ok: true };
  };

  const listed = async (pattern: string): Promise<string[]> => {
    const query = { format: 'json', h: 'index' };
    const reply = await client.request({ method: 'GET', path: `/_cat/indices/${pattern}`, query, timeoutMs });
    if (!reply.ok || reply.status !== 200 || !Array.isArray(reply.body)) return [];
    return (reply.body as { index: string }[]).map((row) => row.index);
  };

  const remove = async (name: string): Promise<boolean> => {
    const done = await client.request({ method: 'DELETE', path: `/${name}`, timeoutMs });
    known.delete(name);
    if (done.ok && done.status === 200) {
      log.info({ index: name }, 'outdated index deleted');
      return true;
    }
    if (!done.ok || done.status !== 404)
      log.warn({ index: name, reason: reasonOf(done) }, 'outdated index could not be deleted');
    return false;
  };

  return {
    ensure: (name) => {
      if (known.has(name)) return Promise.resolve({ ok: true });
      const running = making.get(name);
      if (running) return running;
      const started = make(name).finally(() => making.delete(name));
      making.set(name, started);
      return started;
    },
    forget: (name) => known.delete(name),
    forgetAll: () => known.clear(),
    known: () => [...known],
    forbidAutomatic: async () => {
      for (const { template, pattern } of kinds) {
        const body = { index_patterns: [pattern], priority: 500, allow_auto_create: false, template: {} };
        const reply = await client.request({ method: 'PUT', path: `/_index_template/${template}`, body, timeoutMs });
        if (!reply.ok || reply.status !== 200)
          log.warn(
            { template, reason: reasonOf(reply) },
            'the index template could not be put: an index deleted by hand may come back without a mapping',
          );
      }
    },
    deleteOutdated: async (nowMs) => {
      const deleted: string[] = [];
      const found: { readonly kind: IndexKind; readonly name: string }[] = [];
      for (const kind of kinds) for (const name of await listed(kind.pattern)) found.push({ kind, name });
      const newestMs = found.reduce((newest, { kind, name }) => Math.max(newest, kind.newestMs?.(name) ?? 0), 0);
      const judgedMs = outdatedByMs(nowMs, newestMs, log);
      for (const { kind, name } of found)
        if (kind.isOutdated(name, judgedMs) && (await remove(name))) deleted.push(name);
      return deleted;
    },
  };
};
