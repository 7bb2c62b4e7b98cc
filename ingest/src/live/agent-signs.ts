/**
 * What an agent says of its own queue, as metrics like any other (`agent` in the catalogue): batches given up because it was full, samples
 * missing for good, a disk that takes nothing.
 */
import type { TableSeries } from '@thrum/actors/wire/frame';
import type { HostTable } from './table.ts';
import type { Ticks } from './ticks.ts';

const reportedBy = 'agent';
/** A rate, a level that only grows, and a level that is 0 or 1. */
const metrics = ['queue_dropped', 'samples_gap', 'queue_degraded'] as const;
type Metric = (typeof metrics)[number];

export type AgentSigns = {
  /** Batches were given up because the queue was full. */
  readonly dropped: boolean;
  /** Samples are missing for good that were not missing in the sample before, whatever start of the agent that was. */
  readonly lost: boolean;
  /** The disk does not take what is measured. */
  readonly diskFailing: boolean;
};

export class AgentWatch {
  #table: HostTable | undefined;
  #seriesSeen = 0;
  #series: number | undefined;
  #slots = new Map<Metric, number>();
  #sampleMs = -Infinity;
  #gap = Number.NaN;

  /** What the newest sample says, once per sample; `undefined` when there is no new one. */
  look(ticks: Ticks): AgentSigns | undefined {
    const { table, seriesMs, latest } = ticks;
    this.#find(table);
    if (this.#series === undefined) return undefined;
    const sampleMs = seriesMs[this.#series] as number;
    if (sampleMs === this.#sampleMs) return undefined;
    this.#sampleMs = sampleMs;
    const valueOf = (metric: Metric): number => latest[this.#slots.get(metric) ?? -1] ?? Number.NaN;
    const gap = valueOf('samples_gap');
    const lost = gap > this.#gap;
    if (!Number.isNaN(gap)) this.#gap = gap;
    return { dropped: valueOf('queue_dropped') > 0, lost, diskFailing: valueOf('queue_degraded') > 0 };
  }

  #find(table: HostTable): void {
    if (table !== this.#table) {
      this.#table = table;
      this.#seriesSeen = 0;
      this.#series = undefined;
    }
    for (; this.#seriesSeen < table.series.length; this.#seriesSeen += 1) {
      const one = table.series[this.#seriesSeen] as TableSeries;
      if (one.target !== reportedBy) continue;
      this.#series = this.#seriesSeen;
      this.#slots.clear();
      for (const metric of metrics) {
        const at = one.metrics.indexOf(metric);
        if (at >= 0) this.#slots.set(metric, (table.starts[this.#seriesSeen] as number) + at);
      }
    }
  }
}
