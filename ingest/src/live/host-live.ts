/**
 * The live values of one host: its table, its newest values, its frames, its overview row. A plain object: whoever has a batch of the
 * host calls it, nothing here waits.
 *
 * Every tick has the next sequence number, whether somebody watches or not, so that a snapshot taken at any moment can say which frames
 * follow it. While a snapshot is being put together the ticks are recorded, so that nothing is missing between its newest tick and the
 * frames that follow.
 */
import { encodeHostFrame } from '@thrum/actors/wire/frame';
import type { Batch } from '@thrum/actors/wire/batch';
import { limits } from '@thrum/actors/wire/limits';
import { Overview } from './overview.ts';
import { HostTable } from './table.ts';
import { Ticks } from './ticks.ts';

/** A slot costs 17 bytes here and 4 in every frame; a host with all its containers has a few thousand. */
const bounds = { maxSeries: limits.maxSeriesPerHost, maxSlots: 100_000 };
/** A series nobody measured for this long is dead weight in every frame. */
const deadAfterMs = 10 * 60_000;
const fewSeries = 64;
/** A busy node may take this long to look at a hello. */
const maxHelloDelayMs = 2_000;
/** What a recording keeps; more than a snapshot takes to make, at ten ticks a second. */
const maxRecorded = 1000;
/** 24 MB, as much as a snapshot: a host whose rows are wide gets fewer of them. */
const maxRecordedValues = 6_000_000;

export type Recording = {
  readonly timesMs: number[];
  readonly rows: Float32Array[];
  values: number;
  complete: boolean;
};

export type HostLiveOptions = {
  readonly hostId: string;
  readonly newTableId: () => number;
  readonly publish: (frame: Uint8Array) => void;
};

export class HostLive {
  readonly hostId: string;
  /** Ingest's clock less the agent's: measured at hello, and lowered when an arrival proves it too large. */
  offsetMs = 0;
  /** Somebody watches this host. */
  watched = false;
  /** Has ticks that the overview has not shown yet. */
  fresh = false;
  /** Sequence number of the newest tick. */
  seq = 0;
  sampleMs = 0;
  ageMs = 0;
  readonly overview = new Overview();
  #options: HostLiveOptions;
  #ticks: Ticks;
  #receivedMs = 0;
  #helloOffsetMs = 0;
  #recordings = new Set<Recording>();
  #boot = '';
  #dictionary = '';

  constructor(options: HostLiveOptions) {
    this.hostId = options.hostId;
    this.#options = options;
    this.#ticks = this.#newTicks();
  }

  get ticks(): Ticks {
    return this.#ticks;
  }

  get table(): HostTable {
    return this.#ticks.table;
  }

  /** An agent said hello. Another start of it begins its counters anew; another dictionary begins a new table. */
  greet(hello: { readonly boot: string; readonly dictionary: string; readonly offsetMs: number }): void {
    if (this.#dictionary !== '' && this.#dictionary !== hello.dictionary) this.renew();
    else if (this.#boot !== hello.boot) this.#ticks.restart();
    this.#boot = hello.boot;
    this.#dictionary = hello.dictionary;
    this.offsetMs = hello.offsetMs;
    this.#helloOffsetMs = hello.offsetMs;
  }

  accept(batch: Batch, accepted: Uint8Array, receivedMs: number): void {
    this.#receivedMs = receivedMs;
    this.#ticks.accept(batch, accepted);
  }

  /** Keeps every tick from now on, until `stop`. `complete` turns false when it overflowed or the table was changed meanwhile. */
  record(): { recording: Recording; stop: () => void } {
    const recording: Recording = { timesMs: [], rows: [], values: 0, complete: true };
    this.#recordings.add(recording);
    return { recording, stop: () => this.#recordings.delete(recording) };
  }

  /** Starts a new table when the old one is full, or mostly of series that are gone. */
  tidy(): void {
    const { table, seriesMs, timeMs } = this.#ticks;
    const count = table.series.length;
    if (table.full === 0 && count < fewSeries) return;
    let alive = 0;
    for (let i = 0; i < count; i += 1) if ((seriesMs[i] as number) >= timeMs - deadAfterMs) alive += 1;
    if (alive * 2 < count || (table.full > 0 && alive < count * 0.9)) this.renew();
  }

  renew(): void {
    this.#ticks = this.#newTicks();
    this.overview.forgetTable();
    for (const recording of this.#recordings) recording.complete = false;
    this.#recordings.clear();
  }

  #newTicks(): Ticks {
    const table = new HostTable(this.#options.newTableId(), bounds);
    return new Ticks(table, (timeMs, values) => this.#tick(timeMs, values));
  }

  #tick(timeMs: number, values: Float32Array): void {
    this.seq = (this.seq + 1) >>> 0;
    // No sample is newer than its arrival: the offset was measured too large, because the hello was held up on its way.
    // Only by as much as a hello may be held up, though: one sample from a clock that jumped must not make all others look old.
    const provenMs = Math.max(this.#receivedMs - timeMs, this.#helloOffsetMs - maxHelloDelayMs);
    if (provenMs < this.offsetMs) this.offsetMs = provenMs;
    this.sampleMs = timeMs + this.offsetMs;
    this.ageMs = Math.max(0, this.#receivedMs - this.sampleMs);
    this.fresh = true;
    for (const recording of this.#recordings) {
      recording.values += values.length;
      if (recording.rows.length >= maxRecorded || recording.values > maxRecordedValues) {
        recording.complete = false;
        this.#recordings.delete(recording);
        continue;
      }
      recording.timesMs.push(timeMs);
      recording.rows.push(values.slice());
    }
    if (!this.watched) return;
    const { hostId, seq, sampleMs, ageMs } = this;
    this.#options.publish(encodeHostFrame({ hostId, table: this.table.id, seq, sampleMs, ageMs, values }));
  }
}
