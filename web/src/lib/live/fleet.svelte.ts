/**
 * All hosts this page knows, fed by greeting, roster changes and overview frames. Thousands of hosts change every second, so each
 * has its own signals; the fleet's signals move only when hosts come and go (`members`) or when one gets better or worse (`ranks`).
 */
/* eslint-disable svelte/prefer-svelte-reactivity -- these collections are deliberately no signals: versions say when to look */
import { decodeOverviewFrame, type OverviewColumn } from '@thrum/actors/wire/frame';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import type { Greeting } from '@thrum/actors/wire/web-to-browser';
import { countClusters, type ClusterCount } from '../hosts/clusters.ts';
import { stateLooks, states, type HostState } from '../hosts/state.ts';
import { Host } from './host.svelte.ts';

export type StateChange = { readonly host: Host; readonly from: HostState; readonly to: HostState };

type Counts = Readonly<Record<HostState, number>>;

const zero = (): Record<HostState, number> =>
  Object.fromEntries(states.map((state) => [state, 0])) as Record<HostState, number>;

/** A web node that has just started may learn of a host later than it greets us; until then the host stays. */
const confirmWithinMs = 10_000;
/** Greetings carry replayed rows; what is older by the server's clock than it claims to be is that old. */
const replayDoubtMs = 1500;

export class Fleet {
  readonly #hosts = new Map<string, Host>();
  /** Rises when a host comes or goes or its entry changes. */
  members = $state(0);
  /** Rises when a host moved to another rank of state: the only reason to reorder a list unasked. */
  ranks = $state(0);
  counts = $state.raw<Counts>(zero());
  clusters = $state.raw<readonly ClusterCount[]>([]);
  /** Columns some host has values for; the others are not worth their room. */
  columns = $state.raw<ReadonlySet<OverviewColumn>>(new Set());
  #greeting = 0;
  #removeMs: number | undefined;
  #offered: readonly OverviewColumn[] = [];

  get hosts(): IterableIterator<Host> {
    return this.#hosts.values();
  }

  get size(): number {
    return this.#hosts.size;
  }

  host(id: string): Host | undefined {
    return this.#hosts.get(id);
  }

  greet(greeting: Greeting, nowMs: number, visible: boolean): void {
    this.#greeting += 1;
    this.#offered = greeting.columns;
    for (const entry of greeting.roster) this.#enter(entry);
    this.#removeMs = nowMs + confirmWithinMs;
    for (const frame of greeting.overview) this.frame(frame, nowMs, visible, greeting.serverMs);
    this.members += 1;
  }

  roster(change: { readonly entries: readonly RosterEntry[]; readonly gone: readonly string[] }): void {
    for (const entry of change.entries) this.#enter(entry);
    for (const id of change.gone) this.#hosts.delete(id);
    this.members += 1;
  }

  /** Takes an overview frame; rows of hosts that are not in the roster yet are left out. `replayedAtMs`: it is a repetition. */
  frame(bytes: Uint8Array, nowMs: number, visible: boolean, replayedAtMs?: number): void {
    for (const row of decodeOverviewFrame(bytes) ?? []) {
      const host = this.#hosts.get(row.hostId);
      if (host === undefined) continue;
      const heldMs = replayedAtMs === undefined ? 0 : replayedAtMs - row.sampleMs;
      host.take(row, heldMs > row.ageMs + replayDoubtMs ? heldMs : row.ageMs, nowMs, visible);
    }
  }

  /** Nothing is known any more: whoever looks now must not see what another was shown. */
  forget(): void {
    this.#hosts.clear();
    this.#removeMs = undefined;
    this.counts = zero();
    this.columns = new Set();
    this.members += 1;
  }

  /** Once a second: states, counts, ranks. Returns what changed; the first survey of a host is no change. */
  survey(nowMs: number, cutOff: boolean): StateChange[] {
    if (this.#removeMs !== undefined && nowMs >= this.#removeMs) this.#removeUnconfirmed();
    const counts = zero();
    const changes: StateChange[] = [];
    const columns = new Set(this.columns);
    let moved = false;
    for (const host of this.#hosts.values()) {
      const state = host.state(nowMs, cutOff);
      counts[state] += 1;
      const from = host.surveyed;
      if (from !== undefined && from !== state) changes.push({ host, from, to: state });
      if (from === undefined || stateLooks[from].rank !== stateLooks[state].rank) moved = true;
      host.surveyed = state;
      if (columns.size < this.#offered.length)
        for (const column of this.#offered) if (host.value(column) !== undefined) columns.add(column);
    }
    if (states.some((state) => counts[state] !== this.counts[state])) this.counts = counts;
    const clusters = countClusters(
      Array.from(this.#hosts.values(), ({ entry, surveyed = 'waiting' }) => ({
        cluster: entry.cluster,
        state: surveyed,
      })),
    );
    if (JSON.stringify(clusters) !== JSON.stringify(this.clusters)) this.clusters = clusters;
    if (columns.size !== this.columns.size) this.columns = columns;
    if (moved) this.ranks += 1;
    return changes;
  }

  /** Shows what came while the tab was hidden. */
  see(): void {
    for (const host of this.#hosts.values()) host.see();
  }

  #enter(entry: RosterEntry): void {
    const known = this.#hosts.get(entry.hostId);
    if (known === undefined) this.#hosts.set(entry.hostId, new Host(entry));
    else known.entry = entry;
    const host = this.#hosts.get(entry.hostId);
    if (host) host.confirmedBy = this.#greeting;
  }

  #removeUnconfirmed(): void {
    this.#removeMs = undefined;
    const before = this.#hosts.size;
    for (const host of [...this.#hosts.values()]) if (host.confirmedBy !== this.#greeting) this.#hosts.delete(host.id);
    if (this.#hosts.size !== before) this.members += 1;
  }
}
