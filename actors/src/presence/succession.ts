/**
 * What becomes of what gone nodes said. For the grace their hosts show as reconnecting; then the heir of each host that nobody there speaks of
 * takes it over into its own document, until a node serves the host again; at last the document is forgotten.
 */
import { readStatus, writeStatus } from './lines.ts';
import type { GoneReplica, Replicas } from './replicas.ts';
import { graceMs } from './rules.ts';
import type { PresenceRules } from './rules.ts';
import { standingOf, textsOfClaim } from './view.ts';
import type { Claim, Source, View } from './view.ts';

export type SuccessionCounts = { adopted: number; yielded: number; tombstones: number };

export class Succession {
  readonly #rules: PresenceRules;
  readonly #view: View;
  readonly #replicas: Replicas;
  readonly #self: Source;
  readonly #say: (text: string) => void;
  readonly #remove: (hostId: string) => void;
  readonly counts: SuccessionCounts = { adopted: 0, yielded: 0, tombstones: 0 };

  constructor(options: {
    rules: PresenceRules;
    view: View;
    replicas: Replicas;
    self: Source;
    say: (text: string) => void;
    remove: (hostId: string) => void;
  }) {
    this.#rules = options.rules;
    this.#view = options.view;
    this.#replicas = options.replicas;
    this.#self = options.self;
    this.#say = options.say;
    this.#remove = options.remove;
  }

  tick(living: readonly string[], nowMs: number): void {
    for (const replica of this.#replicas.gone()) {
      const forMs = nowMs - replica.goneAtMs;
      this.#age(replica, forMs);
      if (forMs >= graceMs) this.#adoptFrom(replica, living, forMs);
      if (this.#rules.mayForgetDocument(forMs)) this.#replicas.forget(replica);
    }
  }

  /** After others said something of this host: whether what this node says of it is still needed. */
  review(hostId: string): void {
    const own = this.#view.claimOf(this.#self, hostId);
    if (!own || own.status === '') return;
    const standing = standingOf(own);
    for (const claim of this.#view.claims(hostId)) {
      if (claim === own) continue;
      const yields = standing.adopted
        ? this.#rules.yieldsAdopted(hostId, standing, standingOf(claim))
        : this.#rules.yieldsServed(standing, standingOf(claim));
      if (!yields) continue;
      this.counts.yielded += 1;
      this.#remove(hostId);
      return;
    }
  }

  dropTombstones(wallMs: number): void {
    const old = [...this.#view.hostsOf(this.#self)].filter(
      ([, claim]) => claim.status !== '' && this.#rules.mayDropTombstone(readStatus(claim.status), wallMs),
    );
    this.counts.tombstones += old.length;
    for (const [hostId] of old) this.#remove(hostId);
  }

  #age({ source }: GoneReplica, forMs: number): void {
    const { gone } = source;
    if (!gone || gone.forMs >= graceMs || forMs < graceMs) return;
    this.#view.changeSource(source, () => (gone.forMs = forMs));
  }

  #adoptFrom(replica: GoneReplica, living: readonly string[], forMs: number): void {
    for (const [hostId, claim] of [...this.#view.hostsOf(replica.source)]) {
      if (this.#view.winner(hostId) !== claim) continue;
      if (this.#rules.isHeir(hostId, this.#self.writer, living, forMs)) this.#adopt(claim);
    }
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
    for (const text of textsOfClaim(claim)) this.#say(text === claim.status ? adopted : text);
  }
}
