/**
 * All documents merged: of each host one entry. Holds the texts of the documents themselves (no copies) and reads them when asked, so that a host
 * costs a few hundred bytes. A *claim* is what one document says of one host.
 *
 * Invariants: at most one claim per host and source; a source that was dropped has no claim; hosts and containers are bounded.
 */
import type { RosterEntry } from '../wire/roster.ts';
import { containerStart, readContainer, readFacts, readStatus } from './lines.ts';
import type { ContainerEntry, Line } from './lines.ts';
import type { PresenceRules, Standing } from './rules.ts';

/** Whose document says something, and whether that node is there; `gone` by the wall clock and how long ago. */
export type Source = { readonly writer: string; gone: { readonly sinceMs: number; forMs: number } | undefined };

export type Claim = {
  readonly source: Source;
  status: string;
  facts: string;
  containers: string[] | undefined;
  next: Claim | undefined;
};

/** All that what a host shows depends on. */
type Showing = Pick<Claim, 'status' | 'facts'> & Pick<Source, 'writer' | 'gone'>;

export type Fold =
  | { readonly ok: true; readonly changed: boolean; readonly moreBytes: number }
  | { readonly ok: false; readonly reason: string };

/** Far above what one mesh is built for (5,000 agents); each is what a hostile node could make all others hold. */
const viewBounds = { maxHosts: 20_000, maxContainers: 100_000, maxContainersPerHost: 2000 } as const;

const bytesOf = (text: string): number => Buffer.byteLength(text);
const same: Fold = { ok: true, changed: false, moreBytes: 0 };
const change = (moreBytes: number): Fold => ({ ok: true, changed: true, moreBytes });
const fullOf = (what: string, max: number): Fold => ({ ok: false, reason: `no room for more than ${max} ${what}` });

export class View {
  readonly #rules: PresenceRules;
  readonly #hosts = new Map<string, Claim>();
  /** What was shown before the first change that is not told yet, the longest untold first. */
  readonly #before = new Map<string, Showing | undefined>();
  readonly #touched: () => void;
  #containers = 0;
  #entries: readonly RosterEntry[] | undefined;

  constructor(rules: PresenceRules, touched: () => void) {
    this.#rules = rules;
    this.#touched = touched;
  }

  get hosts(): number {
    return this.#hosts.size;
  }

  get containerCount(): number {
    return this.#containers;
  }

  /** Takes one text of a source. Says how many bytes more the source's live texts have now. */
  fold(source: Source, line: Line, text: string): Fold {
    switch (line.kind) {
      case 'status':
      case 'facts': {
        const claim = this.#claim(source, line.hostId);
        if (!claim) return fullOf('hosts', viewBounds.maxHosts);
        const before = claim[line.kind];
        if (before === text) return same;
        this.touch(line.hostId);
        claim[line.kind] = text;
        return change(bytesOf(text) - bytesOf(before));
      }
      case 'container':
        return this.#foldContainer(source, line.hostId, line.containerId, text);
      case 'removed': {
        const { hostId, containerId } = line;
        const moreBytes =
          containerId === undefined ? this.#drop(source, hostId) : this.#dropContainer(source, hostId, containerId);
        return moreBytes === 0 ? same : change(moreBytes);
      }
      case 'unknown':
        return same;
    }
  }

  claimOf(source: Source, hostId: string): Claim | undefined {
    let claim = this.#hosts.get(hostId);
    while (claim && claim.source !== source) claim = claim.next;
    return claim;
  }

  /** With a status: a claim of containers alone shows nothing. */
  *claims(hostId: string): Generator<Claim> {
    for (let claim = this.#hosts.get(hostId); claim; claim = claim.next) if (claim.status !== '') yield claim;
  }

  /** The claim that is believed; `of` leaves out others. */
  winner(hostId: string, of?: 'those there'): Claim | undefined {
    let best: Claim | undefined;
    for (const claim of this.claims(hostId))
      if (of && claim.source.gone) continue;
      else if (claim.facts !== '' && (!best || this.#rules.isNewer(standingOf(claim), standingOf(best)))) best = claim;
    return best;
  }

  *hostsOf(source: Source): Generator<[string, Claim]> {
    for (const hostId of this.#hosts.keys()) {
      const claim = this.claimOf(source, hostId);
      if (claim) yield [hostId, claim];
    }
  }

  textsOf(source: Source): string[] {
    const texts: string[] = [];
    for (const [, claim] of this.hostsOf(source)) texts.push(...textsOfClaim(claim));
    return texts;
  }

  /** The source's node went, is gone for longer now, or its document is dropped: whatever `alter` does is one change to who looks. */
  changeSource(source: Source, alter: () => void): void {
    for (const [hostId] of this.hostsOf(source)) this.touch(hostId);
    alter();
  }

  dropSource(source: Source): void {
    for (const [hostId] of [...this.hostsOf(source)]) this.#drop(source, hostId);
  }

  entry(hostId: string): RosterEntry | undefined {
    const claim = this.winner(hostId);
    return claim && this.#read(claim);
  }

  entries(): readonly RosterEntry[] {
    if (this.#entries) return this.#entries;
    const entries: RosterEntry[] = [];
    for (const hostId of this.#hosts.keys()) {
      const claim = this.winner(hostId);
      if (claim) entries.push(this.#read(claim));
    }
    return (this.#entries = entries);
  }

  /** Frees what `entries` keeps for the next caller. */
  releaseEntries(): void {
    this.#entries = undefined;
  }

  containers(hostId: string): ContainerEntry[] {
    const claim = this.winner(hostId);
    return (claim?.containers ?? []).map(readContainer);
  }

  /** What a host shows, as a text that differs when anything in it does. */
  shown(hostId: string, of?: 'those there'): string | undefined {
    const showing = this.#showing(hostId, of);
    return showing && this.#textOf(showing);
  }

  /** Before anything about a host changes. */
  touch(hostId: string): void {
    this.#entries = undefined;
    if (this.#before.has(hostId)) return;
    this.#before.set(hostId, this.#showing(hostId));
    this.#touched();
  }

  get hasTouched(): boolean {
    return this.#before.size > 0;
  }

  /** The first `max` of those that `takeChanges` will tell of. */
  touchedHosts(max: number): string[] {
    return [...this.#before.keys().take(max)];
  }

  /** What is shown otherwise than when this was last called, of the first `max` hosts that were touched. */
  takeChanges(max = Infinity): { entries: RosterEntry[]; gone: string[] } {
    const entries: RosterEntry[] = [];
    const gone: string[] = [];
    for (const [hostId, before] of this.#before.entries().take(max)) {
      this.#before.delete(hostId);
      if (this.#isShownAs(hostId, before)) continue;
      const entry = this.entry(hostId);
      if (entry) entries.push(entry);
      else gone.push(hostId);
    }
    return { entries, gone };
  }

  hostIds(): IterableIterator<string> {
    return this.#hosts.keys();
  }

  #showing(hostId: string, of?: 'those there'): Showing | undefined {
    const claim = this.winner(hostId, of);
    if (!claim) return undefined;
    const { writer, gone } = claim.source;
    return { status: claim.status, facts: claim.facts, writer, gone: gone && { ...gone } };
  }

  #textOf({ status, facts, writer, gone }: Showing): string {
    const read = readStatus(status);
    const { connection, sinceMs } = this.#rules.showsAs(read, gone);
    return `${connection} ${sinceMs} ${read.adoptedFrom ?? writer} ${status} ${facts}`;
  }

  #isShownAs(hostId: string, before: Showing | undefined): boolean {
    const now = this.#showing(hostId);
    if (!now || !before) return now === before;
    const isSame =
      now.status === before.status &&
      now.facts === before.facts &&
      now.writer === before.writer &&
      now.gone?.sinceMs === before.gone?.sinceMs &&
      now.gone?.forMs === before.gone?.forMs;
    return isSame || this.#textOf(now) === this.#textOf(before);
  }

  #read(claim: Claim): RosterEntry {
    const { hostId, epoch, attempt, clockOffsetMs, ...status } = readStatus(claim.status);
    const shown = this.#rules.showsAs(status, claim.source.gone);
    const degraded = shown.connection === 'connected' ? status.degraded : [];
    const { connection, sinceMs } = shown;
    const node = status.adoptedFrom ?? claim.source.writer;
    const said = { hostId, epoch, attempt, clockOffsetMs, connection, sinceMs, degraded, node };
    return { ...said, ...readFacts(claim.facts) };
  }

  #claim(source: Source, hostId: string): Claim | undefined {
    const known = this.claimOf(source, hostId);
    if (known) return known;
    const first = this.#hosts.get(hostId);
    if (!first && this.#hosts.size >= viewBounds.maxHosts) return undefined;
    this.touch(hostId);
    const claim: Claim = { source, status: '', facts: '', containers: undefined, next: first };
    this.#hosts.set(hostId, claim);
    return claim;
  }

  #foldContainer(source: Source, hostId: string, containerId: string, text: string): Fold {
    const claim = this.#claim(source, hostId);
    if (!claim) return fullOf('hosts', viewBounds.maxHosts);
    const containers = (claim.containers ??= []);
    const start = containerStart(hostId, containerId);
    const at = containers.findIndex((one) => one.startsWith(start));
    const before = containers[at];
    if (before === undefined) {
      if (this.#containers >= viewBounds.maxContainers) return fullOf('containers', viewBounds.maxContainers);
      if (containers.length >= viewBounds.maxContainersPerHost)
        return fullOf('containers on a host', viewBounds.maxContainersPerHost);
      containers.push(text);
      this.#containers += 1;
      return change(bytesOf(text));
    }
    if (before === text) return same;
    containers[at] = text;
    return change(bytesOf(text) - bytesOf(before));
  }

  #dropContainer(source: Source, hostId: string, containerId: string): number {
    const containers = this.claimOf(source, hostId)?.containers ?? [];
    const start = containerStart(hostId, containerId);
    const at = containers.findIndex((one) => one.startsWith(start));
    if (at < 0) return 0;
    this.#containers -= 1;
    return -containers.splice(at, 1).reduce((sum, text) => sum + bytesOf(text), 0);
  }

  #drop(source: Source, hostId: string): number {
    const claim = this.claimOf(source, hostId);
    if (!claim) return 0;
    this.touch(hostId);
    this.#containers -= claim.containers?.length ?? 0;
    const first = this.#hosts.get(hostId);
    if (first !== claim) {
      for (let one = first; one; one = one.next) if (one.next === claim) one.next = claim.next;
    } else if (claim.next) this.#hosts.set(hostId, claim.next);
    else this.#hosts.delete(hostId);
    return -textsOfClaim(claim).reduce((sum, text) => sum + bytesOf(text), 0);
  }
}

export const textsOfClaim = (claim: Claim): string[] =>
  [claim.facts, claim.status, ...(claim.containers ?? [])].filter((text) => text !== '');

export const standingOf = (claim: Claim): Standing => {
  const { epoch, attempt, connection, sinceMs, adoptedFrom } = readStatus(claim.status);
  const { writer, gone } = claim.source;
  return {
    epoch,
    attempt,
    connection,
    sinceMs,
    adopted: adoptedFrom !== undefined,
    living: gone === undefined,
    writer,
  };
};
