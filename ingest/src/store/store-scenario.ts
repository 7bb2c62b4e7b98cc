/** What the tests of stores write and ask: a small catalogue, batches of it, and what is needed to open a store. */
import { silentLog } from '@thrum/actors/system/log';
import { systemClock } from '@thrum/actors/system/clock';
import { decodeBatch, encodeBatch, type Batch, type Sample, type ShapeMemory } from '@thrum/actors/wire/batch';
import { dictionaryOf, type Dictionary, type WireTarget } from '@thrum/actors/wire/dictionary';
import { counter, gauge, level, target } from '@thrum/actors/wire/schema';
import type { Origin, StoreOptions, StoreQuestion, WriteRequest, WriteResult, Store } from './store.ts';

const memory = target({
  name: 'memory',
  title: 'Memory',
  sentence: 'A target without fields.',
  fields: [],
  metrics: [gauge('usage', '%', 'A float.'), level('used', 'bytes', 'A whole number.')],
  charts: [],
});
const disk = target({
  name: 'disk',
  title: 'Disk',
  sentence: 'A target with two fields, one of them named like a column of the store.',
  fields: [
    { name: 'device', sentence: 'First field.' },
    { name: 'host', sentence: 'Second field.' },
  ],
  metrics: [counter('reads', 'count', 'A counter.'), gauge('busy', '%', 'A float.')],
  charts: [],
});
const unknown = target({ ...memory, name: 'unheard_of' });

export const scenarioCatalogue = [memory, disk];
/** An agent that also measures a target that the catalogue does not know. */
export const scenarioDictionary: Dictionary = dictionaryOf([memory, disk, unknown]);
export const memoryTarget = scenarioDictionary.targets[0] as WireTarget;
export const diskTarget = scenarioDictionary.targets[1] as WireTarget;

export const hostA = '00000000-0000-4000-8000-00000000000a';
export const hostB = '00000000-0000-4000-8000-00000000000b';

export const originOf = (hostId: string, seq: number, epoch = 1): Origin => ({
  hostId,
  hostName: hostId === hostA ? 'alpha' : 'beta',
  cluster: 'test "cluster"',
  labels: { 'rack.row': 'r1', 'site:ö': '"north"' },
  epoch,
  seq,
});

/** Samples of `memory`, `disk` or the unknown target, as an agent would send them. */
export const sample = (
  name: 'memory' | 'disk' | 'unknown',
  timeMs: number,
  values: (number | undefined)[],
  fields: string[] = [],
): Sample => ({
  target: ['memory', 'disk', 'unknown'].indexOf(name),
  timeMs,
  values,
  fields,
});

let memoryOfShape: ShapeMemory;
export const batchOf = (origin: Origin, samples: readonly Sample[]): Batch => {
  const { bytes } = encodeBatch(scenarioDictionary, origin.epoch, origin.seq, samples);
  const decoded = decodeBatch(bytes, scenarioDictionary, memoryOfShape);
  if (!decoded.ok) throw new Error(`BUG: ${decoded.code} ${decoded.detail}`);
  memoryOfShape = decoded.memory;
  return decoded.batch;
};

export const requestOf = (origin: Origin, samples: readonly Sample[]): WriteRequest => ({
  origin,
  batch: batchOf(origin, samples),
  accepted: new Uint8Array(samples.length).fill(1),
});

/** Writes and waits until every sample is terminal. */
export const written = async (store: Store, request: WriteRequest): Promise<WriteResult> => {
  const outcome = store.write(request);
  if (!outcome.ok) throw new Error('the store is full');
  return outcome.done;
};

export const questionOf = (over: Partial<StoreQuestion> & Pick<StoreQuestion, 'fromMs' | 'toMs'>): StoreQuestion => ({
  target: memoryTarget,
  metrics: ['usage'],
  hostId: hostA,
  bucketMs: 1000,
  aggregate: 'avg',
  maxSeries: 100,
  ...over,
});

export const scenarioOptions = (url: string, prefix = 'thrum'): StoreOptions => ({
  url,
  replicas: 0,
  prefix,
  retentionDays: 5,
  catalogue: scenarioCatalogue,
  clock: systemClock,
  log: silentLog,
});
