/**
 * When something was wrong with what: a node (down, leaving, standing still), a pair of nodes (cut off from each other in one direction at least),
 * the network as a whole (it loses frames). The truth by which the nodes' guesses are judged.
 */
type Span = { readonly fromMs: number; toMs: number };

export class Troubles {
  readonly #now: () => number;
  readonly #spans = new Map<string, Span[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(what: string): void {
    const spans = this.#spans.get(what) ?? [];
    this.#spans.set(what, spans);
    if (spans.at(-1)?.toMs !== Infinity) spans.push({ fromMs: this.#now(), toMs: Infinity });
  }

  end(what: string): void {
    const last = this.#spans.get(what)?.at(-1);
    if (last?.toMs === Infinity) last.toMs = this.#now();
  }

  /** As if nothing had ever been wrong with it. */
  pardon(what: string): void {
    this.#spans.delete(what);
  }

  /** Nothing was wrong with it from so long ago until so long ago. */
  wasFine(what: string, fromAgoMs: number, untilAgoMs = 0): boolean {
    const fromMs = this.#now() - fromAgoMs;
    const untilMs = this.#now() - untilAgoMs;
    return !(this.#spans.get(what) ?? []).some((span) => span.toMs > fromMs && span.fromMs <= untilMs);
  }
}

export const ofNode = (index: number): string => `node ${index}`;
/** It is shut to somebody, as if the process behind it were gone. */
export const ofDoor = (index: number): string => `door ${index}`;
export const ofPair = (one: number, other: number): string => `pair ${Math.min(one, other)} ${Math.max(one, other)}`;
export const lossy = 'any loss';
export const veryLossy = 'heavy loss';
