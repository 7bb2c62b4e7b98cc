/** Asks the indices of events: newest first, one more than is answered, so that it is known whether there are older ones. */
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import type { AgentEvent } from '@thrum/actors/wire/events';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Health } from '../health.ts';
import { reasonOf, type ElasticsearchClient } from './client.ts';
import { readEvent } from './events-index.ts';
import { monthIndexPattern } from './month-index.ts';

export type EventSearch = {
  ask(question: EventQuestion, deadlineMs: number): Promise<EventAnswer | Refusal>;
  counters(): Record<string, number>;
};

type Options = {
  readonly client: Pick<ElasticsearchClient, 'request'>;
  readonly prefix: string;
  readonly health: Health;
};

type Hits = {
  readonly hits?: { readonly hits?: readonly { readonly _source: Record<string, unknown> }[] };
  readonly timed_out?: boolean;
  readonly _shards?: { readonly failed?: number };
};

const query = {
  ignore_unavailable: true,
  allow_no_indices: true,
  filter_path: 'timed_out,_shards.failed,hits.hits._source',
};

export const createEventSearch = ({ client, prefix, health }: Options): EventSearch => {
  const count = { asked: 0, failed: 0 };

  const failed = (refusal: Refusal): Refusal => {
    count.failed += 1;
    return refusal;
  };

  return {
    counters: () => ({ store_event_questions_asked: count.asked, store_event_questions_failed: count.failed }),
    ask: async ({ host, kinds, fromMs, toMs, max }, deadlineMs) => {
      count.asked += 1;
      if (deadlineMs <= 0) return failed(refuse('deadline'));
      const filter = [
        { term: { host_id: host } },
        { range: { '@timestamp': { gte: fromMs, lt: toMs, format: 'epoch_millis' } } },
        ...(kinds ? [{ terms: { kind: kinds } }] : []),
      ];
      const reply = await client.request({
        method: 'POST',
        path: `/${monthIndexPattern(prefix, 'events')}/_search`,
        query,
        body: {
          size: max + 1,
          track_total_hits: false,
          query: { bool: { filter } },
          sort: [{ '@timestamp': 'desc' }, { id: 'desc' }],
          _source: ['@timestamp', 'kind', 'id', 'facts', 'facts_text'],
        },
        timeoutMs: Math.max(1, Math.ceil(deadlineMs)),
      });
      if (!reply.ok) {
        if (reply.reason === 'timeout') return failed(refuse('deadline'));
        health.down(reply.detail);
        return failed(refuse('store-away', reply.detail));
      }
      const body = (reply.body ?? {}) as Hits;
      if (reply.status !== 200) return failed(refuse('store-away', reasonOf(reply)));
      if (body.timed_out === true || (body._shards?.failed ?? 0) > 0)
        return failed(refuse('store-away', 'a part of the indices does not answer'));
      // One that was told again after a month without an answer may stand in two months.
      const events = new Map<string, AgentEvent>();
      for (const { _source } of body.hits?.hits ?? []) {
        const event = readEvent(_source);
        if (!events.has(event.id)) events.set(event.id, event);
      }
      const newest = [...events.values()];
      return { ok: true, events: newest.slice(0, max), more: newest.length > max };
    },
  };
};
