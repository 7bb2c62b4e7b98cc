/**
 * The overview's eight figures of one host, from the newest values of its table, and their last minute for spark lines.
 * A figure whose series was not measured for `maxAgeMs` is left out (NaN): an old number is never shown as current.
 */
import { overviewColumns, type OverviewColumn, type OverviewRow, type TableSeries } from '@thrum/actors/wire/frame';
import type { Ticks } from './ticks.ts';

export const maxAgeMs = 60_000;
const sparkRows = 60;
/** Rows of the last minute stand about this far apart; an agent that measures faster is thinned out. */
const sparkEveryMs = 900;
const width = overviewColumns.length;

type Source = { readonly column: number; readonly how: 'sum' | 'max'; readonly series: number; readonly slot: number };

const wanted: readonly {
  column: OverviewColumn;
  target: string;
  metric: string;
  how: 'sum' | 'max';
  when: (fields: readonly string[]) => boolean;
}[] = [
  { column: 'cpu', target: 'cpu', metric: 'usage', how: 'max', when: (fields) => fields[0] === 'total' },
  { column: 'memory', target: 'memory', metric: 'usage', how: 'max', when: () => true },
  { column: 'load1', target: 'load', metric: 'load1', how: 'max', when: () => true },
  { column: 'received', target: 'network', metric: 'received_bytes', how: 'sum', when: (fields) => fields[0] !== 'lo' },
  { column: 'sent', target: 'network', metric: 'sent_bytes', how: 'sum', when: (fields) => fields[0] !== 'lo' },
  { column: 'disk_read', target: 'disk', metric: 'read_bytes', how: 'sum', when: () => true },
  { column: 'disk_written', target: 'disk', metric: 'written_bytes', how: 'sum', when: () => true },
  { column: 'filesystem', target: 'filesystem', metric: 'usage', how: 'max', when: () => true },
];

/** Which slots of a series the overview reads. */
export const sourcesOf = (series: TableSeries, index: number, start: number): Source[] =>
  wanted.flatMap(({ column, target, metric, how, when }) => {
    const at = series.target === target && when(series.fields) ? series.metrics.indexOf(metric) : -1;
    return at < 0 ? [] : [{ column: overviewColumns.indexOf(column), how, series: index, slot: start + at }];
  });

export class Overview {
  #sources: Source[] = [];
  #seriesSeen = 0;
  #times = new Float64Array(sparkRows);
  #ages = new Float32Array(sparkRows);
  #rows = new Float32Array(sparkRows * width);
  #count = 0;

  /** The newest figures; `ticks` must be the ones given before unless `forgetTable` was called. */
  figures(ticks: Ticks): Float32Array {
    const { table, latest, seriesMs } = ticks;
    for (; this.#seriesSeen < table.series.length; this.#seriesSeen += 1) {
      const series = table.series[this.#seriesSeen] as TableSeries;
      this.#sources.push(...sourcesOf(series, this.#seriesSeen, table.starts[this.#seriesSeen] as number));
    }
    const figures = new Float32Array(width).fill(Number.NaN);
    const oldestMs = ticks.timeMs - maxAgeMs;
    for (const { column, how, series, slot } of this.#sources) {
      if ((seriesMs[series] as number) < oldestMs) continue;
      const value = latest[slot] as number;
      if (Number.isNaN(value)) continue;
      const before = figures[column] as number;
      if (Number.isNaN(before)) figures[column] = value;
      else figures[column] = how === 'sum' ? before + value : Math.max(before, value);
    }
    return figures;
  }

  /** Keeps a row for the spark lines; times are those of frames, by this node's clock. */
  keep(row: Omit<OverviewRow, 'hostId'>): void {
    const last = this.#count === 0 ? -Infinity : (this.#times[(this.#count - 1) % sparkRows] as number);
    if (row.sampleMs - last < sparkEveryMs) return;
    const at = this.#count % sparkRows;
    this.#times[at] = row.sampleMs;
    this.#ages[at] = row.ageMs;
    this.#rows.set(row.values, at * width);
    this.#count += 1;
  }

  /** Rows kept that are not older than `sinceMs`, oldest first. */
  kept(hostId: string, sinceMs: number): OverviewRow[] {
    const rows: OverviewRow[] = [];
    for (let i = Math.max(0, this.#count - sparkRows); i < this.#count; i += 1) {
      const at = i % sparkRows;
      const sampleMs = this.#times[at] as number;
      if (sampleMs >= sinceMs)
        rows.push({
          hostId,
          sampleMs,
          ageMs: this.#ages[at] as number,
          values: this.#rows.slice(at * width, (at + 1) * width),
        });
    }
    return rows;
  }

  /** The host starts a new table: its slots mean something else from now on. */
  forgetTable(): void {
    this.#sources = [];
    this.#seriesSeen = 0;
  }
}
