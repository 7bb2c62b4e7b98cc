/**
 * The index of what happened on hosts: one document per event, named after host and event, so that one that is told twice is kept once. The
 * known facts have types, so that they can be counted and drawn; what else an event says is kept as it came.
 */
import type { AccountFacts, AgentEvent, GapFacts } from '@thrum/actors/wire/events';
import type { Origin } from '../store.ts';
import { isMonthOutdated, monthIndexPattern, readMonthIndexName } from './month-index.ts';
import { maxKeywordChars } from './mapping.ts';
import type { IndexKind } from './indices.ts';

/** Longer than anything else here: events say what is missing in the past. */
export const eventsKeptDays = 400;

const keyword = { type: 'keyword', ignore_above: maxKeywordChars };
// A fact of another type than we know is kept and not indexed, never a reason to refuse the event.
const number = { type: 'long', ignore_malformed: true };
const time = { type: 'date', format: 'epoch_millis', ignore_malformed: true };

/** Every fact that `wire/events.ts` names: a new one there is missed by the compiler here. */
const gapFacts: Record<keyof GapFacts, object> = {
  reason: keyword,
  epoch: number,
  first_seq: number,
  last_seq: number,
  batches: number,
  samples: number,
  from_ms: time,
  to_ms: time,
};
const accountFacts: Record<keyof AccountFacts, object> = {
  produced: number,
  stored: number,
  refused: number,
  gap: number,
  queued: number,
};

export const eventsIndex = (prefix: string, replicas: number): IndexKind => ({
  template: `${prefix}-events`,
  pattern: monthIndexPattern(prefix, 'events'),
  define: (name) =>
    readMonthIndexName(prefix, 'events', name) === undefined
      ? undefined
      : {
          settings: {
            index: { number_of_shards: 1, number_of_replicas: replicas, refresh_interval: '5s' },
          },
          mappings: {
            dynamic: false,
            _meta: { thrum: { mapping: 1 } },
            properties: {
              '@timestamp': { type: 'date' },
              host_id: keyword,
              host: keyword,
              cluster: keyword,
              label: { type: 'flattened', ignore_above: maxKeywordChars },
              kind: keyword,
              id: keyword,
              epoch: { type: 'long' },
              seq: { type: 'long' },
              facts: { properties: { ...gapFacts, ...accountFacts } },
            },
          },
        },
  isOutdated: (name, nowMs) => {
    const month = readMonthIndexName(prefix, 'events', name);
    return month !== undefined && isMonthOutdated(month, nowMs, eventsKeptDays);
  },
});

export const eventDocument = (origin: Origin, event: AgentEvent): object => ({
  '@timestamp': event.timeMs,
  host_id: origin.hostId,
  host: origin.hostName,
  cluster: origin.cluster,
  ...(Object.keys(origin.labels).length > 0 && { label: origin.labels }),
  kind: event.kind,
  id: event.id,
  epoch: origin.epoch,
  seq: origin.seq,
  facts: event.facts,
});

/** How an event is kept that the server refused: its facts as text, which no mapping can object to. */
export const bareEvent = ({ facts, label: _, ...document }: Record<string, unknown>): object => ({
  ...document,
  facts_text: JSON.stringify(facts),
});

/** An event out of its document. */
export const readEvent = (source: Record<string, unknown>): AgentEvent => {
  const { kind, id, facts, facts_text: text } = source;
  return {
    kind: String(kind),
    id: String(id),
    timeMs: Number(source['@timestamp']),
    facts: (typeof text === 'string' ? JSON.parse(text) : (facts ?? {})) as AgentEvent['facts'],
  };
};
