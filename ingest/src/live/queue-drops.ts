/** How many batches an agent gives up per second because its queue is full: it reports that itself, as a metric like any other. */
import type { TableSeries } from '@thrum/actors/wire/frame';
import type { HostTable } from './table.ts';
import type { Ticks } from './ticks.ts';

const reportedBy = { target: 'agent', metric: 'queue_dropped' } as const;

export class QueueDrops {
  #table: HostTable | undefined;
  #seriesSeen = 0;
  #source: { readonly series: number; readonly slot: number } | undefined;
  #sampleMs = -Infinity;

  /** True once per sample that says so. */
  happened(ticks: Ticks): boolean {
    const { table, seriesMs, latest } = ticks;
    if (table !== this.#table) {
      this.#table = table;
      this.#seriesSeen = 0;
      this.#source = undefined;
    }
    for (; this.#seriesSeen < table.series.length; this.#seriesSeen += 1) {
      const { target, metrics } = table.series[this.#seriesSeen] as TableSeries;
      const at = target === reportedBy.target ? metrics.indexOf(reportedBy.metric) : -1;
      if (at >= 0) this.#source = { series: this.#seriesSeen, slot: (table.starts[this.#seriesSeen] as number) + at };
    }
    if (!this.#source) return false;
    const sampleMs = seriesMs[this.#source.series] as number;
    if (sampleMs === this.#sampleMs) return false;
    this.#sampleMs = sampleMs;
    return (latest[this.#source.slot] as number) > 0;
  }
}
