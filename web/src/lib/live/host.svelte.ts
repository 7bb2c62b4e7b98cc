/** One host of the fleet as this page knows it: its roster entry, its newest overview figures and their last minute. */
import { overviewColumns, type OverviewColumn, type OverviewRow } from '@thrum/actors/wire/frame';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { freshness, stateOf, type Fresh, type HostState, type StateFacts } from '../hosts/state.ts';
import { TimeAnchor } from './time-anchor.ts';
import { Trail } from './trail.ts';

export type Latest = {
  readonly sampleMs: number;
  /** Age at arrival here, and when that was by this page's monotonic clock. */
  readonly ageMs: number;
  readonly arrivedMs: number;
  readonly values: Float32Array;
};

export type TrailColumn = 'cpu' | 'memory' | 'traffic';

/** Overview frames are gathered for up to a second; half of it is granted so that a sample that just missed one is not "late". */
const overviewGraceMs = 500;

export class Host {
  readonly id: string;
  entry = $state.raw<RosterEntry>() as RosterEntry;
  latest = $state.raw<Latest | undefined>(undefined);
  readonly trail = new Trail<TrailColumn>(['cpu', 'memory', 'traffic']);
  /** The clock of the host's ingest node, by which its samples are dated. */
  readonly anchor = new TimeAnchor();
  /** State as last surveyed, for counting and ordering. Rows compute their own from the clock. */
  surveyed: HostState | undefined;
  /** Which greeting or change named this host last. */
  confirmedBy = 0;
  /** The newest row, held back while nobody looks. */
  #unseen: Latest | undefined;

  constructor(entry: RosterEntry) {
    this.id = entry.hostId;
    this.entry = entry;
  }

  /** `now` false: the tab is hidden, so that what is drawn stays as it is. */
  take(row: OverviewRow, ageMs: number, arrivedMs: number, now: boolean): void {
    const newest = this.#unseen ?? this.latest;
    if (newest && row.sampleMs < newest.sampleMs) return;
    const value = (column: OverviewColumn): number => row.values[overviewColumns.indexOf(column)] ?? Number.NaN;
    this.trail.push(row.sampleMs, (column) =>
      column === 'traffic' ? value('received') + value('sent') : value(column),
    );
    this.anchor.note(row.sampleMs + ageMs, arrivedMs);
    const latest = { sampleMs: row.sampleMs, ageMs, arrivedMs, values: row.values };
    if (now) this.latest = latest;
    else this.#unseen = latest;
  }

  /** Shows what came while the tab was hidden. */
  see(): void {
    if (this.#unseen === undefined) return;
    this.latest = this.#unseen;
    this.#unseen = undefined;
  }

  value(column: OverviewColumn): number | undefined {
    const value = this.latest?.values[overviewColumns.indexOf(column)];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** Age of the newest overview figures. */
  ageMs(nowMs: number): number | undefined {
    return this.latest && this.latest.ageMs + Math.max(0, nowMs - this.latest.arrivedMs);
  }

  /** Facts from which state and freshness follow; a younger age than the overview's own (from a watched host) may be given. */
  facts(nowMs: number, cutOff: boolean, ageMs = this.ageMs(nowMs)): StateFacts {
    const { connection, degraded, periodMs } = this.entry;
    return { connection, degraded: degraded.length > 0, periodMs, ageMs, cutOff, graceMs: overviewGraceMs };
  }

  /** Why it is not well, as one line that begins like a sentence; empty when it is. */
  get why(): string {
    const line = this.entry.degraded.join('; ');
    return line === '' ? '' : `${line.charAt(0).toUpperCase()}${line.slice(1)}`;
  }

  state(nowMs: number, cutOff: boolean): HostState {
    return stateOf(this.facts(nowMs, cutOff));
  }

  fresh(nowMs: number, cutOff: boolean): Fresh {
    return freshness(this.facts(nowMs, cutOff));
  }
}
