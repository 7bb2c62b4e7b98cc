/**
 * The table of one host: which slot of its live frames belongs to which metric of which series. Series get their slots when they are
 * first seen and keep them; a table only grows. What must go is left behind by starting a new table under a new id.
 *
 * Invariant: slots of one series stand together, in the order of its metrics; `starts[i]` is the first of series i.
 */
import type { Series, Shape } from '@thrum/actors/wire/batch';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import type { Table, TableSeries } from '@thrum/actors/wire/frame';

/** Not looked up yet; never a place. */
export const unplaced = -1;
/** Looked up, and there was no room. */
export const noPlace = -2;

export type TableBounds = { readonly maxSeries: number; readonly maxSlots: number };

/** Names a series exactly: unlike its id, nothing in a field value can make two of them look the same. */
export const seriesKey = (series: Series): string =>
  series.fields.length === 0 ? series.target.name : JSON.stringify([series.target.name, ...series.fields]);

/** Agents of one version share a dictionary, so hosts share the names of its metrics: a list of their own would cost each 6 KB. */
const namesByTarget = new WeakMap<WireTarget, readonly string[]>();
const namesOf = (target: WireTarget): readonly string[] => {
  let names = namesByTarget.get(target);
  if (!names) {
    names = target.metrics.map((metric) => metric.name);
    namesByTarget.set(target, names);
  }
  return names;
};

const sameMetrics = (placed: TableSeries | undefined, { metrics }: WireTarget): boolean =>
  placed?.metrics.length === metrics.length && metrics.every((metric, i) => placed.metrics[i] === metric.name);

export class HostTable {
  readonly id: number;
  readonly bounds: TableBounds;
  readonly series: TableSeries[] = [];
  readonly starts: number[] = [];
  /** Per slot: 1 when it holds a counter. */
  counters = new Uint8Array(64);
  /** Number of slots. */
  width = 0;
  /** Times a series found no room. */
  full = 0;
  #byKey = new Map<string, number>();
  /** A shape is the same object as long as the agent's batches look the same, so its lookups are kept with it. */
  #placings = new WeakMap<Shape, Int32Array>();

  constructor(id: number, bounds: TableBounds) {
    this.id = id;
    this.bounds = bounds;
  }

  /** Index of the series of each sample: `unplaced` until `place` was called for it. */
  placing(shape: Shape): Int32Array {
    let placing = this.#placings.get(shape);
    if (!placing) {
      placing = new Int32Array(shape.series.length).fill(unplaced);
      this.#placings.set(shape, placing);
    }
    return placing;
  }

  /** The index of a series, which gets its slots now if it is new; `noPlace` when the table is full. */
  place(series: Series): number {
    const key = seriesKey(series);
    const known = this.#byKey.get(key);
    const { target, fields } = series;
    // The same series with other metrics comes from an agent of another version: it has to wait for a new table.
    if (known !== undefined) return sameMetrics(this.series[known], target) ? known : this.#refuse();
    if (this.series.length >= this.bounds.maxSeries) return this.#refuse();
    if (this.width + target.metrics.length > this.bounds.maxSlots) return this.#refuse();
    const index = this.series.length;
    this.series.push({ target: target.name, fields, metrics: namesOf(target) });
    this.starts.push(this.width);
    this.#byKey.set(key, index);
    const from = this.width;
    this.width += target.metrics.length;
    if (this.width > this.counters.length) {
      const grown = new Uint8Array(Math.max(this.width, Math.ceil(this.counters.length * 1.25)));
      grown.set(this.counters);
      this.counters = grown;
    }
    target.metrics.forEach((metric, i) => {
      this.counters[from + i] = metric.kind === 'counter' ? 1 : 0;
    });
    return index;
  }

  #refuse(): number {
    this.full += 1;
    return noPlace;
  }

  /** As it stands now, for a snapshot. */
  described(): Table {
    return { id: this.id, series: this.series.slice() };
  }
}
