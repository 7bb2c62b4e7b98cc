/**
 * Live frames: what an ingest node publishes on topics and web nodes hand on to browsers as they are, encoded once.
 * Little-endian. Values are 4-byte floats: enough for a chart, half the bytes. Counters have become rates per second here.
 *
 * A *table* says which series the values of a host's frames belong to. It only ever grows while its id stays; who meets an unknown
 * id, or more values than his table has, asks for a snapshot.
 */
import { readHostId, writeHostId } from './host-id.ts';

export const frameKinds = { host: 1, overview: 2, snapshot: 3 } as const;
export const frameVersion = 1;

/** Kind of a frame, or `undefined` for anything this version cannot read. */
export const frameKind = (bytes: Uint8Array): number | undefined =>
  bytes.length >= 4 && bytes[1] === frameVersion ? bytes[0] : undefined;

/** One series of a table: values of a frame stand one after another in the order of `metrics`. */
export type TableSeries = {
  readonly target: string;
  readonly fields: readonly string[];
  readonly metrics: readonly string[];
};
export type Table = { readonly id: number; readonly series: readonly TableSeries[] };

/** Number of values a frame of this table has. */
export const tableWidth = (table: Table): number => table.series.reduce((sum, one) => sum + one.metrics.length, 0);

export type HostFrame = {
  readonly hostId: string;
  readonly table: number;
  /** Counts the frames of one host at one node; a jump is a gap. */
  readonly seq: number;
  /** When the sample was taken, by the ingest node's clock (the agent's clock corrected by its offset). */
  readonly sampleMs: number;
  /** How old the sample was when ingest received it. Never negative. */
  readonly ageMs: number;
  /** One per slot of the table; NaN where there is no value this time. May be shorter than the table. */
  readonly values: Float32Array;
};

const hostHeaderBytes = 48;

export const encodeHostFrame = (frame: HostFrame): Uint8Array => {
  const bytes = new Uint8Array(hostHeaderBytes + frame.values.length * 4);
  const view = new DataView(bytes.buffer);
  bytes[0] = frameKinds.host;
  bytes[1] = frameVersion;
  view.setUint32(4, frame.table, true);
  view.setFloat64(8, frame.sampleMs, true);
  view.setFloat32(16, frame.ageMs, true);
  view.setUint32(20, frame.seq, true);
  writeHostId(bytes, 24, frame.hostId);
  view.setUint32(40, frame.values.length, true);
  new Float32Array(bytes.buffer, hostHeaderBytes).set(frame.values);
  return bytes;
};

/** `undefined` when the bytes are no host frame of this version. */
export const decodeHostFrame = (bytes: Uint8Array): HostFrame | undefined => {
  if (frameKind(bytes) !== frameKinds.host || bytes.length < hostHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(40, true);
  if (bytes.length !== hostHeaderBytes + count * 4) return undefined;
  return {
    hostId: readHostId(bytes, 24),
    table: view.getUint32(4, true),
    seq: view.getUint32(20, true),
    sampleMs: view.getFloat64(8, true),
    ageMs: view.getFloat32(16, true),
    values: readFloats(bytes, hostHeaderBytes, count),
  };
};

/** The overview's figures of one host, in the order of their slots in an overview frame. */
export const overviewColumns = [
  'cpu',
  'memory',
  'load1',
  'received',
  'sent',
  'disk_read',
  'disk_written',
  'filesystem',
] as const;
export type OverviewColumn = (typeof overviewColumns)[number];

export type OverviewRow = {
  readonly hostId: string;
  readonly sampleMs: number;
  readonly ageMs: number;
  /** In the order of `overviewColumns`: percent, percent, load, bytes/s ×4, percent of the fullest filesystem. */
  readonly values: Float32Array;
};

const overviewHeaderBytes = 8;
const overviewRowBytes = 32 + overviewColumns.length * 4;

export const encodeOverviewFrame = (rows: readonly OverviewRow[]): Uint8Array => {
  const bytes = new Uint8Array(overviewHeaderBytes + rows.length * overviewRowBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = frameKinds.overview;
  bytes[1] = frameVersion;
  view.setUint32(4, rows.length, true);
  let at = overviewHeaderBytes;
  for (const row of rows) {
    writeHostId(bytes, at, row.hostId);
    view.setFloat64(at + 16, row.sampleMs, true);
    view.setFloat32(at + 24, row.ageMs, true);
    for (let i = 0; i < overviewColumns.length; i += 1)
      view.setFloat32(at + 32 + i * 4, row.values[i] ?? Number.NaN, true);
    at += overviewRowBytes;
  }
  return bytes;
};

export const decodeOverviewFrame = (bytes: Uint8Array): OverviewRow[] | undefined => {
  if (frameKind(bytes) !== frameKinds.overview || bytes.length < overviewHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(4, true);
  if (bytes.length !== overviewHeaderBytes + count * overviewRowBytes) return undefined;
  const rows: OverviewRow[] = [];
  for (let at = overviewHeaderBytes; at < bytes.length; at += overviewRowBytes)
    rows.push({
      hostId: readHostId(bytes, at),
      sampleMs: view.getFloat64(at + 16, true),
      ageMs: view.getFloat32(at + 24, true),
      values: readFloats(bytes, at + 32, overviewColumns.length),
    });
  return rows;
};

/** The last minutes of one host at full detail: one time per tick, values by column so that they compress and draw well. */
export type Snapshot = {
  readonly hostId: string;
  readonly table: Table;
  /** `seq` of the newest frame that is part of this snapshot; what follows has a larger one. */
  readonly seq: number;
  readonly timesMs: Float64Array;
  /** `columns[slot][tick]`; NaN where there is no value. */
  readonly columns: readonly Float32Array[];
};

const snapshotHeaderBytes = 48;

export const encodeSnapshot = (snapshot: Snapshot): Uint8Array => {
  const table = new TextEncoder().encode(JSON.stringify(snapshot.table));
  const ticks = snapshot.timesMs.length;
  const tableBytes = (table.length + 7) & ~7;
  const valuesAt = snapshotHeaderBytes + tableBytes + ticks * 8;
  const bytes = new Uint8Array(valuesAt + snapshot.columns.length * ticks * 4);
  const view = new DataView(bytes.buffer);
  bytes[0] = frameKinds.snapshot;
  bytes[1] = frameVersion;
  view.setUint32(4, snapshot.table.id, true);
  view.setUint32(8, snapshot.seq, true);
  view.setUint32(12, ticks, true);
  view.setUint32(16, snapshot.columns.length, true);
  view.setUint32(20, table.length, true);
  writeHostId(bytes, 24, snapshot.hostId);
  bytes.set(table, snapshotHeaderBytes);
  new Float64Array(bytes.buffer, snapshotHeaderBytes + tableBytes, ticks).set(snapshot.timesMs);
  snapshot.columns.forEach((column, i) => new Float32Array(bytes.buffer, valuesAt + i * ticks * 4, ticks).set(column));
  return bytes;
};

/** `undefined` when the bytes are no snapshot of this version. Comes from our own nodes, so the table is taken as it is. */
export const decodeSnapshot = (bytes: Uint8Array): Snapshot | undefined => {
  if (frameKind(bytes) !== frameKinds.snapshot || bytes.length < snapshotHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ticks = view.getUint32(12, true);
  const width = view.getUint32(16, true);
  const tableLength = view.getUint32(20, true);
  const timesAt = snapshotHeaderBytes + ((tableLength + 7) & ~7);
  const valuesAt = timesAt + ticks * 8;
  if (bytes.length !== valuesAt + width * ticks * 4) return undefined;
  const json = new TextDecoder().decode(bytes.subarray(snapshotHeaderBytes, snapshotHeaderBytes + tableLength));
  return {
    hostId: readHostId(bytes, 24),
    table: JSON.parse(json) as Table,
    seq: view.getUint32(8, true),
    timesMs: new Float64Array(copyOf(bytes, timesAt, valuesAt).buffer),
    columns: Array.from({ length: width }, (_, i) => readFloats(bytes, valuesAt + i * ticks * 4, ticks)),
  };
};

/** Not `bytes.slice`: of a Node Buffer that is no copy but a view into a pool. */
const copyOf = (bytes: Uint8Array, from: number, to: number): Uint8Array => new Uint8Array(bytes.subarray(from, to));

/** A view where the bytes are aligned for one, a copy otherwise. */
const readFloats = (bytes: Uint8Array, offset: number, count: number): Float32Array => {
  const at = bytes.byteOffset + offset;
  return at % 4 === 0
    ? new Float32Array(bytes.buffer, at, count)
    : new Float32Array(copyOf(bytes, offset, offset + count * 4).buffer);
};
