/**
 * What becomes of what gone nodes said. For the grace their hosts show as reconnecting; then the heir of each host that nobody there speaks of
 * takes it over into its own document, until a node serves the host again; at last the document is forgotten. What this node says itself and
 * another knows better goes when all that are there have the better one: until then nobody shows the host otherwise for it.
 */
import type { PresenceDocument } from './document.ts';
import { readStatus, writeStatus } from './lines.ts';
import type { GoneReplica, Replicas } from './replicas.ts';
import { graceMs } from './rules.ts';
import type { DocumentState, PresenceRules, Standing } from './rules.ts';
import { standingOf, textsOfClaim } from './view.ts';
import type { Claim, Source, View } from './view.ts';

export type SuccessionCounts = { adopted: number; yielded: number; tombstones: number };

/** What is to go. `newer` is the document that says what is newer, as long as it was when that was read first. */
type Leaving = { newer: Pick<DocumentState, 'name' | 'length'> | undefined; readonly givenUp: boolean };

/** What is to be looked at for each of many hosts, some at a time. `of`: one such walk at a time. */
type Walk = {
  readonly of: object;
  readonly hostIds: readonly string[];
  readonly visit: (hostId: string) => void;
  next: number;
};

export class Succession {
  readonly #rules: PresenceRules;
  readonly #view: View;
  readonly #replicas: Replicas;
  readonly #self: Source;
  readonly #say: (text: string) => void;
  readonly #remove: (hostId: string) => void;
  readonly #lacking: (document: Pick<DocumentState, 'name' | 'length'>) => number;
  /** By host. As many as this node speaks of, at most. */
  readonly #leaving = new Map<string, Leaving>();
  /** One per gone node at most, and one over those that are leaving. */
  readonly #walks: Walk[] = [];
  #living: readonly string[] = [];
  #nowMs = 0;
  readonly counts: SuccessionCounts = { adopted: 0, yielded: 0, tombstones: 0 };

  constructor(options: {
    rules: PresenceRules;
    view: View;
    replicas: Replicas;
    self: Source;
    say: (text: string) => void;
    remove: (hostId: string) => void;
    /** How many nodes that are there are not known to have the document up to that length. */
    lacking: (document: Pick<DocumentState, 'name' | 'length'>) => number;
  }) {
    this.#rules = options.rules;
    this.#view = options.view;
    this.#replicas = options.replicas;
    this.#self = options.self;
    this.#say = options.say;
    this.#remove = options.remove;
    this.#lacking = options.lacking;
  }

  /** Finds out what there is to do; `goOn` does it. */
  tick(living: readonly string[], nowMs: number): void {
    this.#living = living;
    this.#nowMs = nowMs;
    for (const replica of this.#replicas.gone()) {
      const forMs = nowMs - replica.goneAtMs;
      this.#age(replica, forMs);
      if (this.#rules.mayForgetDocument(forMs)) this.#replicas.forget(replica);
      else if (forMs >= graceMs)
        this.#walk(
          replica,
          () => Array.from(this.#view.hostsOf(replica.source), ([hostId]) => hostId),
          (hostId) => this.#adoptFrom(replica, hostId),
        );
    }
  }

  /** Looks at so many hosts. True when there are more. */
  goOn(max: number): boolean {
    for (let left = max; left > 0;) {
      const walk = this.#walks[0];
      if (!walk) return false;
      const hostIds = walk.hostIds.slice(walk.next, walk.next + left);
      walk.next += hostIds.length;
      left -= hostIds.length;
      if (walk.next >= walk.hostIds.length) this.#walks.shift();
      for (const hostId of hostIds) walk.visit(hostId);
    }
    return this.#walks.length > 0;
  }

  /** After something was said of this host: whether what this node says of it is still needed. */
  review(hostId: string): void {
    const leaving = this.#leaving.get(hostId);
    const newer = this.#newerThanOwn(hostId, leaving?.givenUp ?? false);
    if (!newer) {
      this.#leaving.delete(hostId);
      if (leaving?.givenUp) this.#remove(hostId);
      return;
    }
    const { name, length } = newer;
    const since = leaving?.newer?.name === name ? leaving.newer : { name, length };
    if (this.#rules.mayLetGo(this.#lacking(since))) {
      this.#leaving.delete(hostId);
      this.counts.yielded += 1;
      this.#remove(hostId);
    } else this.#leaving.set(hostId, { newer: since, givenUp: leaving?.givenUp ?? false });
  }

  /** To be called now and then: others may have caught up. */
  reviewLeaving(): void {
    this.#walk(
      this.#leaving,
      () => [...this.#leaving.keys()],
      (hostId) => {
        if (this.#leaving.has(hostId)) this.review(hostId);
      },
    );
  }

  /** This node has nothing to say of it any more, whatever it said last. */
  giveUp(hostId: string): void {
    this.#leaving.set(hostId, { newer: this.#leaving.get(hostId)?.newer, givenUp: true });
    this.review(hostId);
  }

  /** This node has something to say of it again. */
  keep(hostId: string): void {
    this.#leaving.delete(hostId);
  }

  get leaving(): number {
    return this.#leaving.size;
  }

  dropTombstones(wallMs: number): void {
    const old = [...this.#view.hostsOf(this.#self)].filter(
      ([, claim]) => claim.status !== '' && this.#rules.mayDropTombstone(readStatus(claim.status), wallMs),
    );
    this.counts.tombstones += old.length;
    for (const [hostId] of old) this.#remove(hostId);
  }

  /** The document for which what this node says may make way. */
  #newerThanOwn(hostId: string, givenUp: boolean): PresenceDocument | undefined {
    const own = this.#view.claimOf(this.#self, hostId);
    if (!own || own.status === '') return undefined;
    const standing: Standing = givenUp ? { ...standingOf(own), connection: 'down' } : standingOf(own);
    for (const claim of this.#view.claims(hostId))
      if (claim !== own && this.#rules.yields(hostId, standing, standingOf(claim)))
        return this.#replicas.held(claim.source.writer)?.document;
    return undefined;
  }

  #age({ source }: GoneReplica, forMs: number): void {
    const { gone } = source;
    if (!gone || gone.forMs >= graceMs || forMs < graceMs) return;
    this.#view.changeSource(source, () => (gone.forMs = forMs));
  }

  #walk(of: object, hostIds: () => readonly string[], visit: (hostId: string) => void): void {
    if (!this.#walks.some((walk) => walk.of === of)) this.#walks.push({ of, hostIds: hostIds(), visit, next: 0 });
  }

  #adoptFrom({ source, goneAtMs }: GoneReplica, hostId: string): void {
    const claim = this.#view.claimOf(source, hostId);
    if (!claim || this.#view.winner(hostId) !== claim) return;
    if (this.#rules.isHeir(hostId, this.#self.writer, this.#living, this.#nowMs - goneAtMs)) this.#adopt(claim);
  }

  #adopt(claim: Claim): void {
    const status = readStatus(claim.status);
    const shown = this.#rules.showsAs(status, claim.source.gone);
    const adopted = writeStatus({
      ...status,
      ...shown,
      degraded: [],
      adoptedFrom: status.adoptedFrom ?? claim.source.writer,
    });
    this.counts.adopted += 1;
    this.#leaving.delete(status.hostId);
    for (const text of textsOfClaim(claim)) this.#say(text === claim.status ? adopted : text);
  }
}
