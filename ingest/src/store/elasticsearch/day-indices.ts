/**
 * Makes day indices before the first document goes into them, and deletes the outdated ones. A bulk must never make an index: it
 * would have no mapping and no day, and a deleted day would come back; the template forbids it to the server.
 *
 * Several ingest nodes do this at the same time: "exists already" is success.
 */
import type { Log } from '@thrum/actors/system/log';
import type { Target } from '@thrum/actors/wire/schema';
import { reasonOf, type ElasticsearchClient, type Reply } from './client.ts';
import { dayIndexName, dayIndexPattern, outdatedIndices, readDayIndexName, type Day } from './day-index.ts';
import { mappingOf, settingsOf } from './mapping.ts';

export type DayIndices = {
  /** Makes the named index unless it is known to be there. Not ok: try again later. */
  ensure(name: string): Promise<{ ok: true } | { ok: false; reply: Reply }>;
  /** The server says it is not there after all. */
  forget(name: string): void;
  forgetAll(): void;
  /** Makes the index of this day for every target that was written today or yesterday. */
  prepare(day: Day): Promise<void>;
  forbidAutomatic(): Promise<void>;
  /** Deletes what is older than what is kept; returns the deleted names. */
  deleteOutdated(nowMs: number, retentionDays: number): Promise<string[]>;
};

type Options = {
  readonly client: ElasticsearchClient;
  readonly prefix: string;
  readonly replicas: number;
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly log: Log;
};

const timeoutMs = 30_000;

const errorType = (reply: Reply): string =>
  reply.ok ? ((reply.body as { error?: { type?: string } } | undefined)?.error?.type ?? '') : '';

export const createDayIndices = ({ client, prefix, replicas, catalogue, log }: Options): DayIndices => {
  const known = new Set<string>();
  const making = new Map<string, Promise<{ ok: true } | { ok: false; reply: Reply }>>();

  const make = async (name: string): Promise<{ ok: true } | { ok: false; reply: Reply }> => {
    const read = readDayIndexName(prefix, name);
    const target = read && catalogue.get(read.target);
    if (!read || !target) throw new Error(`BUG: ${name} is no day index of a known target`);
    const mappings = mappingOf(target);
    const body = { settings: settingsOf(target, read.day, replicas), mappings };
    // a new index counts as made as soon as its primary is on its way; waiting for replicas would stall a one-node cluster
    const reply = await client.request({
      method: 'PUT',
      path: `/${name}`,
      query: { wait_for_active_shards: 1 },
      body,
      timeoutMs,
    });
    if (reply.ok && reply.status === 200) log.info({ index: name }, 'day index made');
    else if (errorType(reply) === 'resource_already_exists_exception') {
      // made by another node, or before an upgrade that declared further metrics
      const { properties, _meta } = mappings as { properties: object; _meta: object };
      const updated = await client.request({
        method: 'PUT',
        path: `/${name}/_mapping`,
        body: { properties, _meta },
        timeoutMs,
      });
      if (!updated.ok || updated.status >= 500 || updated.status === 404) return { ok: false, reply: updated };
      if (updated.status !== 200)
        log.error(
          { index: name, reason: reasonOf(updated) },
          'the mapping of this day does not fit the catalogue; it fits from tomorrow on',
        );
    } else return { ok: false, reply };
    known.add(name);
    return { ok: true };
  };

  const ensure: DayIndices['ensure'] = (name) => {
    if (known.has(name)) return Promise.resolve({ ok: true });
    const running = making.get(name);
    if (running) return running;
    const started = make(name).finally(() => making.delete(name));
    making.set(name, started);
    return started;
  };

  return {
    ensure,
    forget: (name) => known.delete(name),
    forgetAll: () => known.clear(),
    prepare: async (day) => {
      const targets = new Set<string>();
      for (const name of known) {
        const read = readDayIndexName(prefix, name);
        if (read && read.day >= day - 2) targets.add(read.target);
      }
      for (const target of targets) await ensure(dayIndexName(prefix, target, day));
    },
    forbidAutomatic: async () => {
      const reply = await client.request({
        method: 'PUT',
        path: `/_index_template/${prefix}-1s`,
        body: { index_patterns: [dayIndexPattern(prefix)], priority: 500, allow_auto_create: false, template: {} },
        timeoutMs,
      });
      if (!reply.ok || reply.status !== 200)
        log.warn(
          { reason: reasonOf(reply) },
          'the index template could not be put: a day index deleted by hand may come back without a mapping',
        );
    },
    deleteOutdated: async (nowMs, retentionDays) => {
      const reply = await client.request({
        method: 'GET',
        path: `/_cat/indices/${dayIndexPattern(prefix)}`,
        query: { format: 'json', h: 'index' },
        timeoutMs,
      });
      if (!reply.ok || reply.status !== 200) return [];
      const names = (reply.body as { index: string }[]).map((row) => row.index);
      const deleted: string[] = [];
      for (const name of outdatedIndices(prefix, names, nowMs, retentionDays)) {
        const done = await client.request({ method: 'DELETE', path: `/${name}`, timeoutMs });
        known.delete(name);
        if (done.ok && done.status === 200) {
          deleted.push(name);
          log.info({ index: name, retentionDays }, 'outdated day index deleted');
        } else if (!done.ok || done.status !== 404)
          log.warn({ index: name, reason: reasonOf(done) }, 'outdated day index could not be deleted');
      }
      return deleted;
    },
  };
};
