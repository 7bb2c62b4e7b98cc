/**
 * A batch: the samples of one tick or flush, one record of the agent's queue, one message, one acknowledgement.
 * Its bytes are laid out by column (PROTOCOL.md has the table) and are sent as they lie on disk.
 *
 * The columns that say *which* series the samples belong to (targets and field values: the shape) stand together, because they
 * are the same tick after tick: a reader keeps the last shape and compares bytes instead of parsing strings again.
 */
import type { Dictionary, WireTarget } from './dictionary.ts';
import { limits } from './limits.ts';
import { refuse, type Refusal } from './refusal.ts';

export const batchMagic = 0x42_54; // "TB" in little-endian order
export const batchVersion = 1;
export const batchHeaderBytes = 48;

/** One sample to be written: values in the order of the target's metrics, `undefined` where nothing was measured. */
export type Sample = {
  /** Index of the target in the dictionary. */
  readonly target: number;
  readonly fields: readonly string[];
  readonly timeMs: number;
  readonly values: ArrayLike<number | undefined>;
};

/** Which series the samples of a batch belong to. The same object is handed out while the bytes of the shape stay the same. */
export type Shape = {
  readonly series: readonly Series[];
  /** Where the values of sample i begin in `Batch.values`; one entry more than samples, the last is the total. */
  readonly offsets: Uint32Array;
};
export type Series = { readonly target: WireTarget; readonly fields: readonly string[]; readonly id: string };

export type Batch = {
  readonly dictionary: string;
  readonly epoch: number;
  readonly seq: number;
  readonly shape: Shape;
  /** Milliseconds since the Unix epoch by the agent's clock, one per sample. */
  readonly timesMs: Float64Array;
  /** One slot per metric of each sample; NaN where there is no value. */
  readonly values: Float64Array;
  /** Values that were there and not finite; they are NaN in `values`. */
  readonly badValues: number;
};

export type BatchHeader = { readonly dictionary: string; readonly epoch: number; readonly seq: number };

/** The id of a timeseries: its target and its field values joined by ":". */
export const seriesId = (target: string, fields: readonly string[]): string => [target, ...fields].join(':');

const hex = (bytes: Uint8Array, from: number, to: number): string => {
  let text = '';
  for (let i = from; i < to; i += 1) text += (bytes[i] ?? 0).toString(16).padStart(2, '0');
  return text;
};

const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true });

/**
 * Writes a batch. `samples` must fit the dictionary (a mismatch is a bug and throws); field values longer than the limit are cut.
 * Returns the bytes and how many values were left out because they were not finite.
 */
export const encodeBatch = (
  dictionary: Dictionary,
  epoch: number,
  seq: number,
  samples: readonly Sample[],
): { bytes: Uint8Array; leftOut: number } => {
  if (samples.length === 0 || samples.length > limits.maxBatchSamples)
    throw new Error(`BUG: a batch of ${samples.length} samples (1 to ${limits.maxBatchSamples} fit)`);
  const fields: Uint8Array[] = [];
  let fieldBytes = 0;
  let slots = 0;
  let present = 0;
  let bitmapBytes = 0;
  let leftOut = 0;
  for (const sample of samples) {
    const target = dictionary.targets[sample.target];
    if (target?.fields.length !== sample.fields.length || target.metrics.length !== sample.values.length)
      throw new Error(`BUG: a sample of target ${sample.target} does not fit the dictionary`);
    slots += sample.values.length;
    bitmapBytes += (sample.values.length + 7) >> 3;
    for (let i = 0; i < sample.values.length; i += 1) {
      const value = sample.values[i];
      if (Number.isFinite(value)) present += 1;
      else if (value !== undefined) leftOut += 1;
    }
    for (const field of sample.fields) {
      let bytes = utf8.encode(field);
      if (bytes.length > limits.maxFieldBytes) bytes = utf8.encode(cutToBytes(field, limits.maxFieldBytes));
      fields.push(bytes);
      fieldBytes += 2 + bytes.length;
    }
  }
  const n = samples.length;
  const shapeBytes = n + fieldBytes;
  const total = batchHeaderBytes + present * 8 + n * 4 + bitmapBytes + shapeBytes;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  const baseMs = samples[0]?.timeMs ?? 0;
  view.setUint16(0, batchMagic, true);
  view.setUint8(2, batchVersion);
  for (let i = 0; i < 8; i += 1) bytes[4 + i] = Number.parseInt(dictionary.hash.slice(i * 2, i * 2 + 2), 16);
  view.setUint32(12, epoch, true);
  view.setFloat64(16, seq, true);
  view.setFloat64(24, baseMs, true);
  view.setUint32(32, n, true);
  view.setUint32(36, present, true);
  view.setUint32(40, shapeBytes, true);
  view.setUint32(44, slots, true);
  const values = new Float64Array(bytes.buffer, batchHeaderBytes, present);
  let at = 0;
  let timeAt = batchHeaderBytes + present * 8;
  let bitAt = timeAt + n * 4;
  let targetAt = bitAt + bitmapBytes;
  let fieldAt = targetAt + n;
  let field = 0;
  for (const sample of samples) {
    view.setInt32(timeAt, sample.timeMs - baseMs, true);
    timeAt += 4;
    bytes[targetAt] = sample.target;
    targetAt += 1;
    for (let i = 0; i < sample.values.length; i += 1) {
      const value = sample.values[i];
      if (!Number.isFinite(value)) continue;
      values[at] = value as number;
      at += 1;
      const place = bitAt + (i >> 3);
      bytes[place] = (bytes[place] as number) | (1 << (i & 7));
    }
    bitAt += (sample.values.length + 7) >> 3;
    for (let i = 0; i < sample.fields.length; i += 1) {
      const written = fields[field] as Uint8Array;
      field += 1;
      view.setUint16(fieldAt, written.length, true);
      bytes.set(written, fieldAt + 2);
      fieldAt += 2 + written.length;
    }
  }
  return { bytes, leftOut };
};

/** The longest beginning of `value` that takes at most `max` bytes and does not split a character. */
const cutToBytes = (value: string, max: number): string => {
  const into = new Uint8Array(max);
  return value.slice(0, utf8.encodeInto(value, into).read);
};

/** Reads who a batch is (dictionary, epoch, sequence) without taking it apart; `undefined` when it is no batch. */
export const readBatchHeader = (bytes: Uint8Array): BatchHeader | undefined => {
  if (bytes.length < batchHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== batchMagic || view.getUint8(2) !== batchVersion) return undefined;
  const seq = view.getFloat64(16, true);
  if (!Number.isSafeInteger(seq) || seq < 0) return undefined;
  return { dictionary: hex(bytes, 4, 12), epoch: view.getUint32(12, true), seq };
};

/** The shape of the batch read before, kept by whoever reads one agent's batches one after another. */
export type ShapeMemory = { bytes: Uint8Array; shape: Shape } | undefined;

export type Decoded = { readonly ok: true; readonly batch: Batch; readonly memory: ShapeMemory } | Refusal;

/**
 * Takes a batch apart. Everything is checked before it is believed: whoever wrote the bytes may be hostile. Refuses with `malformed`,
 * `too-large` or `unknown-dictionary`. Pass the memory returned last time to skip parsing an unchanged shape.
 */
export const decodeBatch = (bytes: Uint8Array, dictionary: Dictionary, memory?: ShapeMemory): Decoded => {
  const bad = (what: string): Refusal => refuse('malformed', `batch: ${what}`);
  if (bytes.length > limits.maxBatchBytes) return refuse('too-large', `batch of ${bytes.length} bytes`);
  const header = readBatchHeader(bytes);
  if (!header) return bad('header');
  if (header.dictionary !== dictionary.hash) return refuse('unknown-dictionary', header.dictionary);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const baseMs = view.getFloat64(24, true);
  const n = view.getUint32(32, true);
  const present = view.getUint32(36, true);
  const shapeBytes = view.getUint32(40, true);
  const slots = view.getUint32(44, true);
  if (!Number.isSafeInteger(baseMs)) return bad('time');
  if (n === 0 || n > limits.maxBatchSamples) return bad(`${n} samples`);
  const timesAt = batchHeaderBytes + present * 8;
  const bitsAt = timesAt + n * 4;
  const shapeAt = bytes.length - shapeBytes;
  if (present > slots || slots > limits.maxBatchBytes || shapeAt < bitsAt) return bad('lengths');

  const shapeView = bytes.subarray(shapeAt);
  let kept = memory;
  if (!kept || kept.shape.series.length !== n || !sameBytes(kept.bytes, shapeView)) {
    const shape = readShape(shapeView, n, dictionary);
    if (!shape) return bad('targets or fields');
    kept = { bytes: Uint8Array.from(shapeView), shape }; // a copy: `slice` of a Node Buffer would hold the whole batch
  }
  const { shape } = kept;
  if (shape.offsets[n] !== slots) return bad('number of values');

  const values = new Float64Array(slots);
  const timesMs = new Float64Array(n);
  let bitAt = bitsAt;
  let valueAt = batchHeaderBytes;
  let badValues = 0;
  for (let i = 0; i < n; i += 1) {
    timesMs[i] = baseMs + view.getInt32(timesAt + i * 4, true);
    const from = shape.offsets[i] as number;
    const count = (shape.offsets[i + 1] as number) - from;
    if (bitAt + ((count + 7) >> 3) > shapeAt) return bad('presence');
    for (let k = 0; k < count; k += 1) {
      if (((bytes[bitAt + (k >> 3)] as number) & (1 << (k & 7))) === 0) {
        values[from + k] = Number.NaN;
        continue;
      }
      if (valueAt >= timesAt) return bad('more values marked than carried');
      const value = view.getFloat64(valueAt, true);
      valueAt += 8;
      if (Number.isFinite(value)) values[from + k] = value;
      else {
        values[from + k] = Number.NaN;
        badValues += 1;
      }
    }
    bitAt += (count + 7) >> 3;
  }
  if (valueAt !== timesAt) return bad('fewer values marked than carried');
  if (bitAt !== shapeAt) return bad('bytes left over');
  return { ok: true, batch: { ...header, shape, timesMs, values, badValues }, memory: kept };
};

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
};

const readShape = (bytes: Uint8Array, n: number, dictionary: Dictionary): Shape | undefined => {
  if (bytes.length < n) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const series: Series[] = [];
  const offsets = new Uint32Array(n + 1);
  let at = n;
  for (let i = 0; i < n; i += 1) {
    const target = dictionary.targets[bytes[i] as number];
    if (!target) return undefined;
    const fields: string[] = [];
    for (let f = 0; f < target.fields.length; f += 1) {
      if (at + 2 > bytes.length) return undefined;
      const length = view.getUint16(at, true);
      at += 2;
      if (length > limits.maxFieldBytes || at + length > bytes.length) return undefined;
      try {
        fields.push(text.decode(bytes.subarray(at, at + length)));
      } catch {
        return undefined; // not UTF-8
      }
      at += length;
    }
    series.push({ target, fields, id: seriesId(target.name, fields) });
    offsets[i + 1] = (offsets[i] as number) + target.metrics.length;
  }
  return at === bytes.length ? { series, offsets } : undefined;
};
