/**
 * Makes the documents of all nodes the same everywhere: news go to every peer at once; what got lost is found by comparing digests on link-up and
 * every few seconds, with whoever is linked, so that any node may pass on any other's document. Nobody pushes what was not asked for but news.
 */
import type { Links, NodeInfo } from '../link/links.ts';
import type { Clock } from '../system/clock.ts';
import { compareNames, writeName } from './document-name.ts';
import {
  digestMessage,
  endpoint,
  listMessage,
  readMessage,
  updateMessage,
  wantedMessage,
} from './exchange-messages.ts';
import type { ExchangeMessage } from './exchange-messages.ts';
import type { OwnDocument, OwnUpdate } from './own-document.ts';
import { idOf, stateOf } from './replicas.ts';
import type { Received, Replicas } from './replicas.ts';
import type { DocumentState, PresenceRules } from './rules.ts';
import { hashHex, hashSum, hashText, noHash } from './text-hash.ts';

/** What was asked of one peer is not asked of another meanwhile: a node that joins would get every document from everybody. */
const patienceMs = 1000;

type ExchangeCounts = Record<
  | 'updatesOut'
  | 'updatesIn'
  | 'updateBytesOut'
  | 'notTold'
  | 'digestsOut'
  | 'listsOut'
  | 'wanted'
  | 'malformed'
  | 'restored',
  number
> &
  Record<`refused ${(Received & { kind: 'refused' })['reason']}`, number>;

const noExchangeCounts = (): ExchangeCounts => ({
  updatesOut: 0,
  updatesIn: 0,
  updateBytesOut: 0,
  notTold: 0,
  digestsOut: 0,
  listsOut: 0,
  wanted: 0,
  malformed: 0,
  restored: 0,
  'refused not-accepted': 0,
  'refused malformed': 0,
  'refused too-large': 0,
  'refused other-content': 0,
});

const lifeOf = ({ id, incarnation }: NodeInfo): string => `${id} ${incarnation}`;

export class Exchange {
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #rules: PresenceRules;
  readonly #own: OwnDocument;
  readonly #replicas: Replicas;
  readonly #counts = noExchangeCounts();
  readonly #asked = new Map<string, number>();
  /** By life of a peer: of each node the document it held at least, as it said last. Of linked peers only. */
  readonly #heldByPeers = new Map<string, ReadonlyMap<string, DocumentState>>();
  /** Others know a later state of this node's document than it does itself. */
  readonly #restored: (generation: number) => void;

  constructor(options: {
    links: Links;
    clock: Clock;
    rules: PresenceRules;
    own: OwnDocument;
    replicas: Replicas;
    restored: (generation: number) => void;
  }) {
    this.#links = options.links;
    this.#clock = options.clock;
    this.#rules = options.rules;
    this.#own = options.own;
    this.#replicas = options.replicas;
    this.#restored = options.restored;
  }

  counters(): Record<string, number> {
    return { ...this.#counts };
  }

  states(): DocumentState[] {
    return [this.#own.document, ...this.#replicas.living().map(({ document }) => document)].map(stateOf);
  }

  digest(): string {
    const hashes = this.states().map((state) => hashText(`${idOf(state)} ${state.length} ${state.hash}`));
    return hashHex(hashes.reduce(hashSum, noHash));
  }

  tellNews({ id, update }: OwnUpdate): void {
    const peers = this.#links.peers().map((peer) => peer.id);
    const outcomes = this.#links.tellAll(peers, endpoint, updateMessage(id, update));
    this.#counts.updatesOut += peers.length;
    this.#counts.updateBytesOut += peers.length * update.bytes.byteLength;
    // The next digest finds it.
    this.#counts.notTold += outcomes.filter((outcome) => !outcome.ok).length;
  }

  compareWith(nodeIds: readonly string[]): void {
    if (nodeIds.length === 0) return;
    this.#counts.digestsOut += nodeIds.length;
    this.#links.tellAll(nodeIds, endpoint, digestMessage(this.digest()), { droppable: true });
  }

  compareWithAll(): void {
    const peers = this.#links.peers();
    const lives = new Set(peers.map(lifeOf));
    for (const life of this.#heldByPeers.keys()) if (!lives.has(life)) this.#heldByPeers.delete(life);
    this.compareWith(peers.map((peer) => peer.id));
  }

  /** How many of these nodes and of the linked ones have not said that they hold this document, up to this length. */
  lacking({ name, length }: Pick<DocumentState, 'name' | 'length'>, nodes: readonly NodeInfo[]): number {
    const lives = new Map([...nodes, ...this.#links.peers()].map((node) => [lifeOf(node), node]));
    let count = 0;
    for (const [life, node] of lives) {
      const held = this.#heldByPeers.get(life)?.get(name.node);
      const newer = held ? compareNames(held.name, name) : -1;
      if (node.id !== name.node && !(newer > 0 || (held && newer === 0 && held.length >= length))) count += 1;
    }
    return count;
  }

  /** What was asked of it will not come. */
  peerLost(): void {
    this.#asked.clear();
  }

  receive(body: unknown, from: NodeInfo): void {
    const message = readMessage(body);
    if (!message) {
      this.#counts.malformed += 1;
      return;
    }
    switch (message.kind) {
      case 'digest':
        if (message.hash !== this.digest()) this.#tellList(from.id, false);
        else this.#noteHeld(this.states(), from);
        return;
      case 'list':
        this.#noteHeld(message.states, from);
        this.#compare(message.states, message.answer, from.id);
        return;
      case 'wanted':
        this.#give(message, from.id);
        return;
      case 'update':
        this.#take(message, from.id);
    }
  }

  #noteHeld(states: readonly DocumentState[], peer: NodeInfo): void {
    this.#heldByPeers.set(lifeOf(peer), new Map(states.map((state) => [state.name.node, state])));
  }

  #tellList(peer: string, answer: boolean): void {
    this.#counts.listsOut += 1;
    this.#links.tell(peer, endpoint, listMessage(this.states(), answer), { droppable: true });
  }

  #compare(offered: readonly DocumentState[], answer: boolean, peer: string): void {
    const offers = new Map(offered.map((state) => [state.name.node, state]));
    for (const state of offers.values()) {
      if (state.name.node === this.#links.self.id) this.#compareOwn(state);
      else this.#askFor(state, peer);
    }
    if (answer) return;
    const peerLacks = this.states().some(
      (state) => state.name.node !== peer && this.#rules.needsSync(offers.get(state.name.node), state) !== 'no',
    );
    if (peerLacks) this.#tellList(peer, true);
  }

  #compareOwn(offered: DocumentState): void {
    if (!this.#rules.wasRestored(stateOf(this.#own.document), offered)) return;
    this.#counts.restored += 1;
    this.#restored(offered.name.generation + 1);
  }

  #askFor(offered: DocumentState, peer: string): void {
    const id = idOf(offered);
    const stateVector = this.#replicas.wants(offered);
    if (stateVector) this.#ask(id, stateVector, peer);
  }

  #ask(id: string, stateVector: Uint8Array, peer: string): void {
    const nowMs = this.#clock.monotonicMs();
    if ((this.#asked.get(id) ?? -Infinity) > nowMs) return;
    for (const [asked, untilMs] of this.#asked) if (untilMs <= nowMs) this.#asked.delete(asked);
    this.#asked.set(id, nowMs + patienceMs);
    this.#counts.wanted += 1;
    this.#links.tell(peer, endpoint, wantedMessage(id, stateVector));
  }

  #give({ id, stateVector }: ExchangeMessage & { kind: 'wanted' }, peer: string): void {
    const held = [this.#own.document, ...this.#replicas.living().map(({ document }) => document)];
    const document = held.find((one) => one.id === id);
    if (!document) return;
    let update;
    try {
      update = document.since(stateVector);
    } catch {
      this.#counts.malformed += 1;
      return;
    }
    this.#counts.updatesOut += 1;
    this.#counts.updateBytesOut += update.bytes.byteLength;
    if (!this.#links.tell(peer, endpoint, updateMessage(id, update)).ok) this.#counts.notTold += 1;
  }

  #take({ name, update }: ExchangeMessage & { kind: 'update' }, peer: string): void {
    this.#counts.updatesIn += 1;
    const id = writeName(name);
    const received = this.#replicas.receive(name, update, name.node === peer);
    if (received.kind === 'refused') this.#counts[`refused ${received.reason}`] += 1;
    if (received.kind === 'lacking') this.#ask(id, received.stateVector, peer);
    else this.#asked.delete(id);
  }
}
