/**
 * The documents of the other nodes, as this node holds them: of each node that is there its newest one; those of nodes that are gone until their
 * heirs had their turn (`succession.ts`). Every update is judged whole before anything of it is applied; what is refused has no effect.
 */
import { PresenceDocument } from './document.ts';
import type { DocumentUpdate } from './document.ts';
import { compareNames, writeName } from './document-name.ts';
import type { DocumentName } from './document-name.ts';
import { readLine } from './lines.ts';
import type { Line } from './lines.ts';
import { maxDocumentBytes } from './own-document.ts';
import type { DocumentState, PresenceRules } from './rules.ts';
import type { Source, View } from './view.ts';

export type Replica = { readonly document: PresenceDocument; readonly source: Source };
export type GoneReplica = Replica & { readonly goneAtMs: number };

export type Received =
  | { readonly kind: 'applied' | 'known' }
  /** Something before it is lacking: it must be asked for. */
  | { readonly kind: 'lacking'; readonly stateVector: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: 'not-accepted' | 'malformed' | 'too-large' | 'other-content' };

/** Of one, with what Yjs puts around the texts. */
const maxReplicaBytes = maxDocumentBytes + 2 * 1024 * 1024;
/** Of all documents together. */
const maxAllBytes = 128 * 1024 * 1024;

const refused = (reason: (Received & { kind: 'refused' })['reason']): Received => ({ kind: 'refused', reason });

/** All lines, or undefined when one is malformed. */
const readLines = (texts: readonly string[]): Line[] | undefined => {
  const lines: Line[] = [];
  for (const text of texts) {
    const line = readLine(text);
    if (!line) return undefined;
    lines.push(line);
  }
  return lines;
};

export class Replicas {
  readonly #rules: PresenceRules;
  readonly #view: View;
  readonly #accepts: (name: DocumentName, held: DocumentName | undefined) => boolean;
  readonly #living = new Map<string, Replica>();
  readonly #gone = new Set<GoneReplica>();
  /** Nodes that sent what does not follow on what is held of them: what they send next from the start on replaces it. */
  readonly #doubted = new Set<string>();
  /** Texts that found no room in the merged view. */
  overBound = 0;

  constructor(options: {
    rules: PresenceRules;
    view: View;
    accepts: (name: DocumentName, held: DocumentName | undefined) => boolean;
  }) {
    this.#rules = options.rules;
    this.#view = options.view;
    this.#accepts = options.accepts;
  }

  living(): readonly Replica[] {
    return [...this.#living.values()];
  }

  gone(): readonly GoneReplica[] {
    return [...this.#gone];
  }

  held(node: string): Replica | undefined {
    return this.#living.get(node);
  }

  accepts(name: DocumentName): boolean {
    return this.#accepts(name, this.#living.get(name.node)?.document.name);
  }

  /** Whether a document somebody has should be asked for, and from which state on. */
  wants(offered: DocumentState): Uint8Array | undefined {
    if (!this.accepts(offered.name)) return undefined;
    const held = this.#living.get(offered.name.node)?.document;
    const need = this.#rules.needsSync(held, offered);
    if (need === 'no') return undefined;
    if (need === 'more' && held) return held.stateVector;
    return new PresenceDocument(offered.name).stateVector;
  }

  receive(name: DocumentName, update: DocumentUpdate, fromWriter: boolean): Received {
    if (!this.accepts(name)) return refused('not-accepted');
    const held = this.#living.get(name.node);
    const isSame = held && compareNames(held.document.name, name) === 0;
    if (isSame && !(fromWriter && update.from === 0 && this.#doubted.has(name.node)))
      return this.#extend(held, update, fromWriter);
    this.#doubted.delete(name.node);
    return this.#replace(name, update);
  }

  /** The node is gone with all documents up to that incarnation. */
  nodeGone(node: string, incarnation: number, now: { monotonicMs: number; wallMs: number }): void {
    const replica = this.#living.get(node);
    if (!replica || replica.document.name.incarnation > incarnation) return;
    this.#living.delete(node);
    this.#doubted.delete(node);
    this.#gone.add({ ...replica, goneAtMs: now.monotonicMs });
    this.#view.changeSource(replica.source, () => (replica.source.gone = { sinceMs: now.wallMs, forMs: 0 }));
  }

  forget(replica: GoneReplica): void {
    this.#gone.delete(replica);
    this.#drop(replica);
  }

  #extend(held: Replica, update: DocumentUpdate, fromWriter: boolean): Received {
    const { document } = held;
    if (update.to <= document.length) return { kind: 'known' };
    const inspected = document.inspect(update);
    if (!inspected.ok) {
      if (inspected.reason === 'gap') return { kind: 'lacking', stateVector: document.stateVector };
      if (inspected.reason === 'malformed' || !fromWriter) return refused(inspected.reason);
      this.#doubted.add(document.name.node);
      return { kind: 'lacking', stateVector: new PresenceDocument(document.name).stateVector };
    }
    const lines = readLines(inspected.texts);
    if (!lines) return refused('malformed');
    if (!this.#hasRoom(document.bytes, update, this.#allBytes())) return refused('too-large');
    this.#fold(held.source, lines, document.apply(update));
    return { kind: 'applied' };
  }

  #replace(name: DocumentName, update: DocumentUpdate): Received {
    const document = new PresenceDocument(name);
    const inspected = document.inspect(update);
    if (!inspected.ok) {
      if (inspected.reason === 'gap') return { kind: 'lacking', stateVector: document.stateVector };
      return refused(inspected.reason);
    }
    const lines = readLines(inspected.texts);
    if (!lines) return refused('malformed');
    const former = this.#living.get(name.node);
    if (!this.#hasRoom(0, update, this.#allBytes() - (former?.document.bytes ?? 0))) return refused('too-large');
    const texts = document.apply(update);
    if (former) this.#drop(former);
    const source: Source = { writer: name.node, gone: undefined };
    this.#living.set(name.node, { document, source });
    this.#fold(source, lines, texts);
    return { kind: 'applied' };
  }

  #hasRoom(heldBytes: number, update: DocumentUpdate, allBytes: number): boolean {
    return heldBytes + update.bytes.byteLength <= maxReplicaBytes && allBytes + update.bytes.byteLength <= maxAllBytes;
  }

  #fold(source: Source, lines: readonly Line[], texts: readonly string[]): void {
    for (const [at, line] of lines.entries())
      if (!this.#view.fold(source, line, texts[at] ?? '').ok) this.overBound += 1;
  }

  #drop({ document, source }: Replica): void {
    this.#view.dropSource(source);
    document.destroy();
  }

  #allBytes(): number {
    let sum = 0;
    for (const { document } of [...this.#living.values(), ...this.#gone]) sum += document.bytes;
    return sum;
  }
}

export const stateOf = (document: PresenceDocument): DocumentState => ({
  name: document.name,
  length: document.length,
  hash: document.hash,
});

export const idOf = (state: DocumentState): string => writeName(state.name);
