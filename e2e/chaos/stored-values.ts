/**
 * One sample in two forms, brought to one: as `queue inspect` lists it and as a document of a day index. The catalogue says in which order
 * fields come and which metrics are kept as four-byte floats, which as whole numbers. Pure.
 */
import { catalogue } from '@thrum/actors/wire/catalogue';
import type { Target } from '@thrum/actors/wire/schema';
import type { InspectedItem } from './inspection.ts';
import type { Stored, Values } from './ledger.ts';
import type { RawDocument } from './stored.ts';

const targets = new Map(catalogue.map((one) => [one.name, one]));
/** As ingest names the columns of fields that are called like its own. */
const taken = new Set(['cluster', 'host', 'host_id', 'label', 'labels', 'm', 'time_ms']);
const maxFloat = 3.4028234663852886e38;

const targetOf = (name: string): Target => {
  const found = targets.get(name);
  if (!found) throw new Error(`No target is called ${name}.`);
  return found;
};

const asKept = (type: 'float' | 'long', value: number): number =>
  type === 'float' ? Math.fround(value) : Math.round(value);
const fits = (type: 'float' | 'long', value: number): boolean =>
  type === 'float' ? Math.abs(value) <= maxFloat : Number.isSafeInteger(Math.round(value));

/** What the store keeps of these values: unknown metrics and values that do not fit their type are left out. */
export const keptValues = (target: string, values: Values): Values => {
  const kept: Record<string, number> = {};
  for (const { name, type } of targetOf(target).metrics) {
    const value = values[name];
    if (value !== undefined && fits(type, value)) kept[name] = asKept(type, value);
  }
  return kept;
};

export const itemOf = (host: string, item: InspectedItem): Omit<Stored, 'index'> => ({
  host,
  target: item.target,
  fields: item.fields,
  timeMs: item.timeMs,
  values: keptValues(item.target, item.values),
});

/** Throws on a document that is not one of a day index. */
export const readable = (prefix: string, { _index, _source }: RawDocument): Stored => {
  const name = /^1s-([a-z][a-z0-9_]*)-\d{4}\.\d\d\.\d\d$/.exec(_index.slice(prefix.length + 1))?.[1];
  if (name === undefined) throw new Error(`${_index} is no day index`);
  const { fields } = targetOf(name);
  const time = _source['@timestamp'];
  const values: Record<string, number> = {};
  for (const [metric, value] of Object.entries((_source['m'] ?? {}) as Record<string, unknown>))
    values[metric] = Number(value);
  return {
    host: String(_source['host_id']),
    target: name,
    fields: fields.map((field) =>
      String(_source[taken.has(field.name) || field.name.startsWith('own_') ? `own_${field.name}` : field.name]),
    ),
    timeMs: typeof time === 'number' ? time : Date.parse(String(time)),
    values: keptValues(name, values),
    index: _index,
  };
};
