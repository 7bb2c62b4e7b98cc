/**
 * Turns the samples of a batch into the lines of a bulk, straight into bytes: `create` action and document per sample. What is the same
 * tick after tick (action, dimensions, names of the metrics) is kept as bytes per shape and copied; only times and values are
 * written anew. A shape is recognized by its object, which stays the same while the agent sends the same series.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Batch, Series, Shape } from '@thrum/actors/wire/batch';
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
  readonly keys: Keys;
  readonly long: readonly boolean[];
  readonly maxValueBytes: number;
  day: Day;
  index: string;
  action: Uint8Array;
};

/** Texts one after another, each filled up to whole words of four bytes. */
type Keys = {
  readonly words: Uint32Array;
  /** Where the words of each begin; one entry more than there are texts. */
  readonly starts: Uint32Array;
  /** In bytes, without what it is filled up with. */
  readonly lengths: Uint32Array;
};

/**
 * The part of a document that all series of a host have in common. Kept once for all of them: labels may be long, and a copy for each of
 * thousands of series would be a way to fill this node's memory.
 */
type HostPart = {
  readonly hostId: string;
  readonly hostName: string;
  readonly cluster: string;
  readonly labels: Origin['labels'];
  readonly bytes: Uint8Array;
};

/** All that the documents of one shape have in common, found with one look for each batch. */
export type Prepared = {
  host: HostPart;
  /** Per series. */
  readonly plans: readonly Plan[];
  /** What is left up to the values, series after series, in one piece: each piece of its own has a head larger than itself. */
  readonly rests: Uint8Array;
  /** Where that of each series begins; one entry more than there are series. */
  readonly restStarts: Uint32Array;
};

export type DocumentLines = {
  prepare(origin: Origin, shape: Shape): Prepared;
  /** Most bytes that the lines of sample `i` can take. */
  maxBytes(prepared: Prepared, i: number): number;
  /** Writes both lines and returns their end. `leftOut` counts values that did not fit their type. */
  write(into: Buffer, at: number, origin: Origin, prepared: Prepared, batch: Batch, i: number): number;
  /** The index that the lines of sample `i` name, once they are written. */
  indexOf(prepared: Prepared, i: number): string;
  readonly counters: { leftOutValues: number };
};

const utf8 = new TextEncoder();
/** The action beside the name of its index, with an id if there is one. */
const actionBytes = 192;
const comma = 44;
const brace = 125;
const newLine = 10;

const actionOf = (index: string, id: string | undefined): Uint8Array =>
  utf8.encode(`{"create":${JSON.stringify({ _index: index, _id: id })}}\n{"@timestamp":`);

const keysOf = (texts: readonly string[]): Keys => {
  const encoded = texts.map((text) => utf8.encode(text));
  const starts = new Uint32Array(texts.length + 1);
  for (const [k, bytes] of encoded.entries()) starts[k + 1] = (starts[k] ?? 0) + Math.ceil(bytes.length / 4);
  const view = new DataView(new ArrayBuffer((starts.at(-1) ?? 0) * 4));
  const words = new Uint32Array(view.byteLength / 4);
  for (const [k, bytes] of encoded.entries()) new Uint8Array(view.buffer).set(bytes, (starts[k] ?? 0) * 4);
  for (let w = 0; w < words.length; w += 1) words[w] = view.getUint32(w * 4, true);
  return { words, starts, lengths: Uint32Array.from(encoded, (bytes) => bytes.length) };
};

const hostPartOf = ({ hostId, hostName, cluster, labels }: Origin): HostPart => {
  const label = Object.keys(labels).length > 0 && { label: labels };
  const document = { cluster, host_id: hostId, host: hostName, ...label };
  return { hostId, hostName, cluster, labels, bytes: utf8.encode(`,${JSON.stringify(document).slice(1, -1)}`) };
};

/** What is left of it up to the values. */
const restOf = ({ target, fields }: Series): Uint8Array => {
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
  const preparedShapes = new WeakMap<Shape, Prepared>();
  const counters = { leftOutValues: 0 };
  /** Of the buffer written last: one for each document shows in a profile. */
  let view: DataView = new DataView(new ArrayBuffer(0));

  const planOf = (target: WireTarget): Plan => {
    const found = plans.get(target);
    if (found) return found;
    const declared = new Map((catalogue.get(target.name)?.metrics ?? []).map((metric) => [metric.name, metric]));
    const keys = keysOf(target.metrics.map(({ name }) => (declared.has(name) ? `,${JSON.stringify(name)}:` : '')));
    const plan: Plan = {
      target: target.name,
      keys,
      long: target.metrics.map((metric) => declared.get(metric.name)?.type === 'long'),
      maxValueBytes: keys.lengths.reduce((sum, length) => sum + length + maxNumberBytes, 0),
      day: Number.NaN,
      index: '',
      action: new Uint8Array(0),
    };
    plans.set(target, plan);
    return plan;
  };

  const make = (origin: Origin, { series }: Shape): Prepared => {
    const rests = series.map(restOf);
    const restStarts = new Uint32Array(series.length + 1);
    for (const [i, rest] of rests.entries()) restStarts[i + 1] = (restStarts[i] ?? 0) + rest.length;
    const host = hostPartOf(origin);
    return { host, plans: series.map(({ target }) => planOf(target)), rests: Buffer.concat(rests), restStarts };
  };

  const isOf = ({ hostId, hostName, cluster, labels }: HostPart, origin: Origin): boolean =>
    labels === origin.labels && hostId === origin.hostId && hostName === origin.hostName && cluster === origin.cluster;

  return {
    counters,
    prepare: (origin, shape) => {
      let prepared = preparedShapes.get(shape);
      if (!prepared) {
        prepared = make(origin, shape);
        preparedShapes.set(shape, prepared);
      }
      if (!isOf(prepared.host, origin)) prepared.host = hostPartOf(origin);
      return prepared;
    },
    maxBytes: ({ host, plans, restStarts }, i) => {
      const { target, maxValueBytes } = plans[i] as Plan;
      const restBytes = (restStarts[i + 1] as number) - (restStarts[i] as number);
      const headBytes = prefix.length + target.length + actionBytes + host.bytes.length + restBytes;
      return headBytes + maxValueBytes + maxNumberBytes;
    },
    indexOf: ({ plans }, i) => (plans[i] as Plan).index,
    write: (into, from, origin, prepared, batch, i) => {
      const plan = prepared.plans[i] as Plan;
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
      const host = prepared.host.bytes;
      into.set(host, at);
      at += host.length;
      const { rests, restStarts } = prepared;
      const restEnd = restStarts[i + 1] as number;
      for (let k = restStarts[i] as number; k < restEnd; k += 1, at += 1) into[at] = rests[k] as number;
      const valuesAt = at;
      if (view.buffer !== into.buffer) view = new DataView(into.buffer);
      const viewFrom = into.byteOffset;
      const first = batch.shape.offsets[i] as number;
      const { long } = plan;
      const { words, starts, lengths } = plan.keys;
      for (let k = 0; k < lengths.length; k += 1) {
        const raw = batch.values[first + k] as number;
        const keyBytes = lengths[k] as number;
        if (raw !== raw || keyBytes === 0) continue; // NaN: nothing was measured
        const isLong = long[k] === true;
        const value = storable(isLong ? 'long' : 'float', raw);
        if (value !== value) {
          counters.leftOutValues += 1;
          continue;
        }
        // Whole words, which is faster than bytes (bulk-body.bench.ts): what is too much at the end is written over by the value and what follows it.
        const end = starts[k + 1] as number;
        let place = viewFrom + at;
        for (let w = starts[k] as number; w < end; w += 1, place += 4) view.setUint32(place, words[w] as number, true);
        at += keyBytes;
        at = isLong ? writeWhole(into, at, value) : writeFloat(into, at, value);
      }
      if (at > valuesAt && into[valuesAt] === comma) {
        // the first value has no comma before it: the blank keeps the rest where it is
        into[valuesAt] = 32;
      }
      into[at] = brace;
      into[at + 1] = brace;
      into[at + 2] = newLine;
      return at + 3;
    },
  };
};
