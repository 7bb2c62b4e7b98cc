/**
 * Batches become ticks: one row of values by the host's table, counters turned into rates per second on the way. The live view and the
 * ten minutes of a snapshot go through the same code, so that both say the same.
 *
 * A rate needs two good values: after a reset (a counter that went down), a missing value, a silence longer than `maxGapMs` or the first
 * value ever there is none for one tick, rather than an invented spike. Over a shorter gap it is the average of the gap. Samples that
 * are not newer than the last of their series are left out: what was shown is not taken back.
 */
import type { Batch } from '@thrum/actors/wire/batch';
import { noPlace, unplaced, type HostTable } from './table.ts';

/** Longer than this without a value, and an average over the gap would say nothing about now. */
export const maxGapMs = 5 * 60_000;

/**
 * An agent sends one tick a batch, or a minute of them at once. A tick costs as much as the table is wide, a sample that makes one costs
 * its sender 20 bytes: without a bound one batch would hold up everybody.
 */
export const maxTicksPerBatch = 64;

/**
 * The row of the tick that is being put together: one for all hosts, because no two are at it at once (nothing in `accept` waits, and who is
 * given a tick takes no batch in return). It would be a sixth of what a host costs here.
 */
let row = new Float32Array(1024);

/** Arrays of a host grow by a quarter: doubled ones were half empty. */
const grownSize = (needed: number, size: number): number => Math.max(needed, Math.ceil(size * 1.25));

/** `values` has one slot per slot of the table and is only good during the call: it is written again for the next tick. */
export type OnTick = (timeMs: number, values: Float32Array) => void;

export class Ticks {
  readonly table: HostTable;
  /** Newest value of each slot, NaN before the first. */
  latest = new Float32Array(64).fill(Number.NaN);
  /** Time of the newest sample of each series, by the agent's clock; -Infinity before the first. */
  seriesMs = new Float64Array(8).fill(-Infinity);
  /** Time of the newest tick. */
  timeMs = -Infinity;
  /** Samples that were not newer than the last of their series. */
  outOfOrder = 0;
  /** Samples behind the last tick that their batch may add: they are stored like others, and not shown. */
  beyondBatch = 0;
  #onTick: OnTick;
  #previous = new Float64Array(64).fill(Number.NaN);
  /** The tick in which a series was written last. */
  #writtenIn = new Uint32Array(8);
  #tick = 0;

  constructor(table: HostTable, onTick: OnTick) {
    this.table = table;
    this.#onTick = onTick;
  }

  /** `accepted`: one per sample, 1 = take it; all of them without it. Calls `onTick` once per tick in the batch, up to the bound. */
  accept(batch: Batch, accepted?: Uint8Array): void {
    const { shape, timesMs, values } = batch;
    const { table } = this;
    const placing = table.placing(shape);
    let open = false;
    let ticks = 0;
    let newestMs = -Infinity;
    for (let i = 0; i < placing.length; i += 1) {
      if (accepted && accepted[i] !== 1) continue;
      let series = placing[i] as number;
      const widthBefore = table.width;
      if (series === unplaced) {
        const one = shape.series[i];
        if (!one) continue;
        series = table.place(one);
        placing[i] = series;
      }
      if (series === noPlace) continue;
      this.#grow();
      // What stands there is another host's.
      if (table.width > widthBefore) row.fill(Number.NaN, widthBefore, table.width);
      const timeMs = timesMs[i] as number;
      if (timeMs <= (this.seriesMs[series] as number)) {
        this.outOfOrder += 1;
        continue;
      }
      // A series again in the same batch: the batch holds several ticks.
      if (open && this.#writtenIn[series] === this.#tick) {
        this.#emit(newestMs);
        open = false;
        ticks += 1;
      }
      if (ticks >= maxTicksPerBatch) {
        this.beyondBatch += 1;
        continue;
      }
      if (!open) {
        open = true;
        this.#tick = (this.#tick + 1) >>> 0;
        row.fill(Number.NaN, 0, table.width);
        newestMs = -Infinity;
      }
      this.#writtenIn[series] = this.#tick;
      if (timeMs > newestMs) newestMs = timeMs;
      const from = shape.offsets[i] as number;
      this.#write(series, timeMs, values, from, (shape.offsets[i + 1] as number) - from);
    }
    if (open) this.#emit(newestMs);
  }

  /** The newest values together as one row; NaN for a series not measured for `maxAgeMs` before the newest tick. */
  newest(maxAgeMs: number): Float32Array {
    const { starts, series, width } = this.table;
    const row = this.latest.slice(0, width);
    series.forEach((one, i) => {
      const from = starts[i] as number;
      if ((this.seriesMs[i] as number) < this.timeMs - maxAgeMs) row.fill(Number.NaN, from, from + one.metrics.length);
    });
    return row;
  }

  /** Forgets the values before, so that nothing is compared with another start of the agent. */
  restart(): void {
    this.seriesMs.fill(-Infinity);
    this.#previous.fill(Number.NaN);
    this.timeMs = -Infinity;
  }

  #write(series: number, timeMs: number, values: Float64Array, from: number, count: number): void {
    const start = this.table.starts[series] as number;
    const gapMs = timeMs - (this.seriesMs[series] as number);
    const perSecond = gapMs <= maxGapMs ? 1000 / gapMs : Number.NaN;
    this.seriesMs[series] = timeMs;
    const { counters } = this.table;
    for (let k = 0; k < count; k += 1) {
      const slot = start + k;
      let value = values[from + k] as number;
      if (counters[slot] === 1) {
        const grown = value - (this.#previous[slot] as number);
        this.#previous[slot] = value;
        value = grown >= 0 ? grown * perSecond : Number.NaN;
      }
      row[slot] = value;
      this.latest[slot] = value;
    }
  }

  #emit(timeMs: number): void {
    if (timeMs > this.timeMs) this.timeMs = timeMs;
    this.#onTick(timeMs, row.subarray(0, this.table.width));
  }

  #grow(): void {
    const { width, series } = this.table;
    if (width > this.latest.length) {
      const size = grownSize(width, this.latest.length);
      const grown = new Float64Array(size).fill(Number.NaN);
      grown.set(this.#previous);
      this.#previous = grown;
      const latest = new Float32Array(size).fill(Number.NaN);
      latest.set(this.latest);
      this.latest = latest;
    }
    if (width > row.length) {
      const wider = new Float32Array(grownSize(width, row.length)).fill(Number.NaN);
      wider.set(row);
      row = wider;
    }
    if (series.length > this.seriesMs.length) {
      const size = grownSize(series.length, this.seriesMs.length);
      const times = new Float64Array(size).fill(-Infinity);
      times.set(this.seriesMs);
      this.seriesMs = times;
      const written = new Uint32Array(size);
      written.set(this.#writtenIn);
      this.#writtenIn = written;
    }
  }
}
