/** Payloads of a queue's records as a person can read them. They were checked by their CRC, but an older or newer program may have written them. */
import { checkDictionary, dictionaryHash, type Dictionary, type WireTarget } from '@thrum/actors/wire/dictionary';
import { eventsSchema } from '@thrum/actors/wire/events';

const parse = (payload: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTarget = (value: unknown): value is WireTarget =>
  isObject(value) &&
  typeof value['name'] === 'string' &&
  Array.isArray(value['fields']) &&
  value['fields'].every((field) => typeof field === 'string') &&
  Array.isArray(value['metrics']) &&
  value['metrics'].every((metric) => isObject(metric) && typeof metric['name'] === 'string');

/** `undefined` when it is no dictionary, or not the one its hash says. */
export const readDictionary = (payload: Uint8Array): Dictionary | undefined => {
  const value = parse(payload);
  if (!isObject(value) || typeof value['hash'] !== 'string' || !Array.isArray(value['targets'])) return undefined;
  const targets: readonly unknown[] = value['targets'];
  if (!targets.every(isTarget) || !checkDictionary(targets).ok) return undefined;
  return dictionaryHash(targets) === value['hash'] ? { hash: value['hash'], targets } : undefined;
};

/** `undefined` when they are no events. */
export const readEventsOf = (payload: Uint8Array): readonly unknown[] | undefined => {
  const parsed = eventsSchema.safeParse(parse(payload));
  return parsed.success ? parsed.data.events : undefined;
};
