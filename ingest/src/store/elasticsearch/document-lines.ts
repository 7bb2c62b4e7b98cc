/**
 * Turns the samples of a batch into the lines of a bulk, straight into bytes: `create` action and document per sample. What is the same
 * tick after tick (action, dimensions, names of the metrics) is kept as bytes per series and copied; only times and values are
 * written anew. A series is recognized by its object, which stays the same while the agent's shape does.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Batch, Series } from '@thrum/actors/wire/batch';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import type { Target } from '@thrum/actors/wire/schema';
import { columnName } from '../column-name.ts';
import { storable } from '../storable-value.ts';
import type { StoreRules } from '../rules.ts';
import type { Origin } from '../store.ts';
import { dayIndexName, dayOf, type Day } from './day-index.ts';
import { maxNumberBytes, writeFloat, writeWhole } from './number-text.ts';

/** How samples of one target are written; made once per dictionary of an agent. */
type Plan = {
  readonly target: string;
  /** `,"name":` per metric; empty when the catalogue here does not know it (dropped, like any unknown metric). */
  readonly keys: readonly Uint8Array[];
  readonly long: readonly boolean[];
  readonly maxValueBytes: number;
  day: Day;
  index: string;
  action: Uint8Array;
};

/**
 * The part of a document that all series of a host have in common. Kept once for all of them: labels may be long, and a copy for each of
 * thousands of series would be a way to fill this node's memory.
 */
type HostPart = {
  readonly hostId: string;
  readonly hostName: string;
  readonly cluster: string;
  readonly bytes: Uint8Array;
};

export type DocumentLines = {
  /** Most bytes that the lines of sample `i` can take. */
  maxBytes(origin: Origin, batch: Batch, i: number): number;
  /** Writes both lines and returns their end and the index they name. `leftOut` counts values that did not fit their type. */
  write(into: Uint8Array, at: number, origin: Origin, batch: Batch, i: number): { end: number; index: string };
  readonly counters: { leftOutValues: number };
};

const utf8 = new TextEncoder();
/** The action beside the name of its index, with an id if there is one. */
const actionBytes = 192;
const comma = 44;
const brace = 125;
const newLine = 10;

const copy = (into: Uint8Array, at: number, from: Uint8Array): number => {
  for (let i = 0; i < from.length; i += 1) into[at + i] = from[i] as number; // shorter than 32 bytes: faster than set()
  return at + from.length;
};

const actionOf = (index: string, id: string | undefined): Uint8Array =>
  utf8.encode(`{"create":${JSON.stringify({ _index: index, _id: id })}}\n{"@timestamp":`);

const hostPartOf = ({ hostId, hostName, cluster, labels }: Origin): HostPart => {
  const label = Object.keys(labels).length > 0 && { label: labels };
  const document = { cluster, host_id: hostId, host: hostName, ...label };
  return { hostId, hostName, cluster, bytes: utf8.encode(`,${JSON.stringify(document).slice(1, -1)}`) };
};

/** What is left of it up to the values. */
const seriesPartOf = ({ target, fields }: Series): Uint8Array => {
  const pairs = target.fields.map((field, k) => `,${JSON.stringify(columnName(field))}:${JSON.stringify(fields[k])}`);
  return utf8.encode(`${pairs.join('')},"m":{`);
};

type Options = {
  readonly prefix: string;
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly rules: Pick<StoreRules, 'timeOfIndex' | 'idOfSample'>;
};

export const createDocumentLines = ({ prefix, catalogue, clock, rules }: Options): DocumentLines => {
  const plans = new WeakMap<WireTarget, Plan>();
  /** By the labels, an object that each connection has one of. */
  const hostParts = new WeakMap<Origin['labels'], HostPart>();
  const seriesParts = new WeakMap<Series, Uint8Array>();
  const counters = { leftOutValues: 0 };
  const empty = new Uint8Array(0);

  const planOf = (target: WireTarget): Plan => {
    const found = plans.get(target);
    if (found) return found;
    const declared = new Map((catalogue.get(target.name)?.metrics ?? []).map((metric) => [metric.name, metric]));
    const keys = target.metrics.map((m) => (declared.has(m.name) ? utf8.encode(`,${JSON.stringify(m.name)}:`) : empty));
    const plan: Plan = {
      target: target.name,
      keys,
      long: target.metrics.map((metric) => declared.get(metric.name)?.type === 'long'),
      maxValueBytes: keys.reduce((sum, key) => sum + key.length + maxNumberBytes, 0),
      day: Number.NaN,
      index: '',
      action: empty,
    };
    plans.set(target, plan);
    return plan;
  };

  const hostPart = (origin: Origin): Uint8Array => {
    const { hostId, hostName, cluster, labels } = origin;
    const found = hostParts.get(labels);
    if (found?.hostId === hostId && found.hostName === hostName && found.cluster === cluster) return found.bytes;
    const made = hostPartOf(origin);
    hostParts.set(labels, made);
    return made.bytes;
  };

  const seriesPart = (series: Series): Uint8Array => {
    const found = seriesParts.get(series);
    if (found) return found;
    const made = seriesPartOf(series);
    seriesParts.set(series, made);
    return made;
  };

  const seriesAt = (batch: Batch, i: number): Series => batch.shape.series[i] as Series;

  return {
    counters,
    maxBytes: (origin, batch, i) => {
      const series = seriesAt(batch, i);
      const nameBytes = prefix.length + series.target.name.length + actionBytes;
      const headBytes = hostPart(origin).length + seriesPart(series).length;
      return nameBytes + headBytes + planOf(series.target).maxValueBytes + maxNumberBytes;
    },
    write: (into, from, origin, batch, i) => {
      const series = seriesAt(batch, i);
      const plan = planOf(series.target);
      const timeMs = batch.timesMs[i] as number;
      const day = dayOf(rules.timeOfIndex(timeMs, clock.wallMs()));
      if (day !== plan.day) {
        plan.day = day;
        plan.index = dayIndexName(prefix, plan.target, day);
        plan.action = actionOf(plan.index, undefined);
      }
      const id = rules.idOfSample(origin, i);
      const action = id === undefined ? plan.action : actionOf(plan.index, id);
      into.set(action, from);
      let at = writeWhole(into, from + action.length, timeMs);
      const host = hostPart(origin);
      into.set(host, at);
      at += host.length;
      const rest = seriesPart(series);
      into.set(rest, at);
      at += rest.length;
      const valuesAt = at;
      const first = batch.shape.offsets[i] as number;
      const { keys, long } = plan;
      for (let k = 0; k < keys.length; k += 1) {
        const raw = batch.values[first + k] as number;
        const key = keys[k] as Uint8Array;
        if (raw !== raw || key.length === 0) continue; // NaN: nothing was measured
        const isLong = long[k] === true;
        const value = storable(isLong ? 'long' : 'float', raw);
        if (value !== value) {
          counters.leftOutValues += 1;
          continue;
        }
        at = copy(into, at, key);
        at = isLong ? writeWhole(into, at, value) : writeFloat(into, at, value);
      }
      if (at > valuesAt && into[valuesAt] === comma) {
        // the first value has no comma before it: the blank keeps the rest where it is
        into[valuesAt] = 32;
      }
      into[at] = brace;
      into[at + 1] = brace;
      into[at + 2] = newLine;
      return { end: at + 3, index: plan.index };
    },
  };
};
