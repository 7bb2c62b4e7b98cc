/**
 * What this page has seen of one host: times and one column per slot of the host's table, oldest first, at most `keepMs` of it.
 *
 * Samples stand at their own time whenever they arrive; a burst after an outage is no wall. Times strictly increase; a sample that
 * is already there is ignored. Buffers are reused: the views given out hold until the next change.
 */
import { tableWidth, type HostFrame, type Snapshot, type Table, type TableSeries } from '@thrum/actors/wire/frame';

export type Appended = 'appended' | 'ignored' | 'unknown-table';

export const seriesKey = (target: string, fields: readonly string[]): string => [target, ...fields].join('\u0000');

const keyOf = (series: TableSeries): string => seriesKey(series.target, series.fields);

/** A bound against a host that sends far faster than it declared: ten minutes at 20 samples a second. */
const maxTicks = 12_000;

export class Recording {
  readonly table: Table;
  readonly keepMs: number;
  #times: Float64Array;
  #columns: Float32Array[];
  #start = 0;
  #end = 0;
  readonly #slots = new Map<string, number>();

  constructor(table: Table, keepMs: number, ticks = 1024) {
    this.table = table;
    this.keepMs = keepMs;
    this.#times = new Float64Array(ticks);
    this.#columns = Array.from({ length: tableWidth(table) }, () => new Float32Array(ticks));
    let slot = 0;
    for (const series of table.series) {
      this.#slots.set(keyOf(series), slot);
      slot += series.metrics.length;
    }
  }

  /** The snapshot, and before it what an earlier recording still knows of the same series. */
  static of(snapshot: Snapshot, keepMs: number, earlier?: Recording): Recording {
    const ticks = snapshot.timesMs.length;
    const recording = new Recording(snapshot.table, keepMs, Math.max(1024, ticks + 256));
    const firstMs = snapshot.timesMs[0] ?? Number.POSITIVE_INFINITY;
    if (earlier) recording.#takeOver(earlier, firstMs);
    for (let tick = 0; tick < ticks; tick += 1) {
      const at = recording.#place(snapshot.timesMs[tick] ?? Number.NaN);
      if (at === undefined) continue;
      for (let slot = 0; slot < recording.#columns.length; slot += 1) {
        const column = recording.#columns[slot];
        if (column) column[at] = snapshot.columns[slot]?.[tick] ?? Number.NaN;
      }
    }
    if (earlier) recording.#takeOver(earlier, Number.POSITIVE_INFINITY);
    return recording;
  }

  append(frame: HostFrame): Appended {
    if (frame.table !== this.table.id || frame.values.length > this.#columns.length) return 'unknown-table';
    const at = this.#place(frame.sampleMs);
    if (at === undefined) return 'ignored';
    for (let slot = 0; slot < this.#columns.length; slot += 1) {
      const column = this.#columns[slot];
      if (column) column[at] = frame.values[slot] ?? Number.NaN;
    }
    return 'appended';
  }

  get ticks(): number {
    return this.#end - this.#start;
  }

  /** Times of all ticks, increasing. */
  get timesMs(): Float64Array {
    return this.#times.subarray(this.#start, this.#end);
  }

  get firstMs(): number | undefined {
    return this.ticks === 0 ? undefined : this.#times[this.#start];
  }

  get lastMs(): number | undefined {
    return this.ticks === 0 ? undefined : this.#times[this.#end - 1];
  }

  /** Slot of a metric of a series, or `undefined` when the host does not have it. */
  slot(target: string, fields: readonly string[], metric: string): number | undefined {
    const first = this.#slots.get(seriesKey(target, fields));
    if (first === undefined) return undefined;
    const series = this.table.series.find((one) => one.target === target && keyOf(one) === seriesKey(target, fields));
    const index = series?.metrics.indexOf(metric) ?? -1;
    return index < 0 ? undefined : first + index;
  }

  /** Values of one slot, one per tick; NaN where there is none. */
  column(slot: number): Float32Array {
    return (this.#columns[slot] ?? new Float32Array(0)).subarray(this.#start, this.#end);
  }

  /** Newest value of a slot that is a number, looking back at most `ticks`. */
  newest(slot: number, ticks = 1): number | undefined {
    const column = this.#columns[slot];
    for (let at = this.#end - 1; at >= Math.max(this.#start, this.#end - ticks); at -= 1) {
      const value = column?.[at];
      if (value !== undefined && !Number.isNaN(value)) return value;
    }
    return undefined;
  }

  /** Index at which a tick of that time is to be written, or `undefined` when it is there already, too old or no time. */
  #place(timeMs: number): number | undefined {
    const lastMs = this.lastMs;
    if (!Number.isFinite(timeMs)) return undefined;
    if (lastMs !== undefined && timeMs < lastMs - this.keepMs) return undefined;
    if (this.#end === this.#times.length) this.#makeRoom(Math.max(timeMs, lastMs ?? timeMs));
    let at = this.#end;
    while (at > this.#start && (this.#times[at - 1] ?? 0) > timeMs) at -= 1;
    if (at > this.#start && this.#times[at - 1] === timeMs) return undefined;
    if (at < this.#end) {
      this.#times.copyWithin(at + 1, at, this.#end);
      for (const column of this.#columns) column.copyWithin(at + 1, at, this.#end);
    }
    this.#times[at] = timeMs;
    this.#end += 1;
    return at;
  }

  /** Lets go of what is too old; when that frees too little the buffers grow, up to a bound, after which the oldest go. */
  #makeRoom(newestMs: number): void {
    while (this.#start < this.#end && (this.#times[this.#start] ?? 0) < newestMs - this.keepMs) this.#start += 1;
    const length = this.#times.length;
    if (this.#start < length / 4 && length >= maxTicks) this.#start = Math.floor(length / 4);
    if (this.#start >= length / 4) {
      this.#times.copyWithin(0, this.#start, this.#end);
      for (const column of this.#columns) column.copyWithin(0, this.#start, this.#end);
    } else {
      const grown = Math.min(maxTicks, length * 2);
      const times = new Float64Array(grown);
      times.set(this.timesMs);
      this.#columns = this.#columns.map((column) => {
        const wider = new Float32Array(grown);
        wider.set(column.subarray(this.#start, this.#end));
        return wider;
      });
      this.#times = times;
    }
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** Takes the ticks before `beforeMs` of another recording, series by series; what the series do not share stays unknown. */
  #takeOver(other: Recording, beforeMs: number): void {
    const shared: { to: number; column: Float32Array }[] = [];
    for (const series of this.table.series)
      for (const metric of series.metrics) {
        const to = this.slot(series.target, series.fields, metric);
        const from = other.slot(series.target, series.fields, metric);
        if (to !== undefined && from !== undefined) shared.push({ to, column: other.column(from) });
      }
    const timesMs = other.timesMs;
    for (let tick = 0; tick < timesMs.length; tick += 1) {
      const timeMs = timesMs[tick] ?? Number.NaN;
      if (timeMs >= beforeMs) break;
      const at = this.#isWithin(timeMs) ? undefined : this.#place(timeMs);
      if (at === undefined) continue;
      for (const column of this.#columns) column[at] = Number.NaN;
      for (const { to, column } of shared) this.#columns[to]?.fill(column[tick] ?? Number.NaN, at, at + 1);
    }
  }

  /** True between the first and the last tick here: only what lies outside is taken from another recording. */
  #isWithin(timeMs: number): boolean {
    return this.ticks > 0 && timeMs >= (this.firstMs ?? 0) && timeMs <= (this.lastMs ?? 0);
  }
}
