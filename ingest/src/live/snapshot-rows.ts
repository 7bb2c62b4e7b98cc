/**
 * The rows of a snapshot: ticks in time order, each a row by the host's table as wide as the table was then. Bounded: the oldest rows go
 * first. `columns` turns them around, because a chart reads one series and because columns compress.
 */
import type { Snapshot } from '@thrum/actors/wire/frame';
import type { HostLive } from './host-live.ts';

/** 24 MB as floats: ten minutes of 10,000 values a second. */
const maxValues = 6_000_000;

export class SnapshotRows {
  readonly timesMs: number[] = [];
  readonly rows: Float32Array[] = [];
  #values = 0;
  #from = 0;

  /**
   * `values` is kept and must not be used afterwards. A row of the same time as the last is put into that one (a tick may come in several
   * batches, and the newest tick both from the agent and from the recording), an older one is left out.
   */
  add(timeMs: number, values: Float32Array): void {
    const lastMs = this.timesMs.at(-1) ?? -Infinity;
    if (timeMs < lastMs) return;
    if (timeMs === lastMs) {
      const last = this.rows.length - 1;
      const merged = merge(this.rows[last] as Float32Array, values);
      this.#values += merged.length - (this.rows[last] as Float32Array).length;
      this.rows[last] = merged;
      return;
    }
    this.timesMs.push(timeMs);
    this.rows.push(values);
    this.#values += values.length;
    while (this.#values > maxValues && this.#from < this.rows.length - 1) {
      this.#values -= (this.rows[this.#from] as Float32Array).length;
      this.rows[this.#from] = empty;
      this.#from += 1;
    }
  }

  /** As columns of the host's table of this moment; times by this node's clock. */
  snapshot(host: HostLive, sinceMs: number): Snapshot {
    let from = this.#from;
    while (from < this.timesMs.length && (this.timesMs[from] as number) < sinceMs) from += 1;
    const ticks = this.timesMs.length - from;
    const { width } = host.table;
    const timesMs = new Float64Array(ticks);
    const all = new Float32Array(width * ticks).fill(Number.NaN);
    for (let tick = 0; tick < ticks; tick += 1) {
      timesMs[tick] = (this.timesMs[from + tick] as number) + host.offsetMs;
      const row = this.rows[from + tick] as Float32Array;
      for (let slot = 0; slot < row.length; slot += 1) all[slot * ticks + tick] = row[slot] as number;
    }
    const columns = Array.from({ length: width }, (_, slot) => all.subarray(slot * ticks, (slot + 1) * ticks));
    return { hostId: host.hostId, table: host.table.described(), seq: host.seq, timesMs, columns };
  }
}

const empty = new Float32Array(0);

const merge = (row: Float32Array, more: Float32Array): Float32Array => {
  let merged = row;
  if (more.length > row.length) {
    merged = new Float32Array(more.length).fill(Number.NaN);
    merged.set(row);
  }
  for (let i = 0; i < more.length; i += 1) if (Number.isNaN(merged[i])) merged[i] = more[i] as number;
  return merged;
};
