/**
 * The newest payload per key of one topic and one publisher, bounded in keys and bytes. What does not fit is not kept (and says so): the live
 * publication still goes out, only who comes later misses it. Payloads are copied in, so that neither a frame nor the caller's buffer is held.
 */
export type RetainedBounds = { readonly maxKeys: number; readonly maxBytes: number };

/** 5,000 hosts with an entry of 1 KB take 5 MB. Raising them raises what one publisher can make every interested node hold. */
export const retainedBounds: RetainedBounds = { maxKeys: 100_000, maxBytes: 64 * 1024 * 1024 };

export class Retained {
  readonly #bounds: RetainedBounds;
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(bounds: RetainedBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<[string, Uint8Array]> {
    return this.#entries.entries();
  }

  /** False: no room, and the key has no value any more (an old one would be wrong). */
  set(key: string, payload: Uint8Array): boolean {
    this.delete(key);
    const bytes = key.length + payload.byteLength;
    if (this.#entries.size >= this.#bounds.maxKeys || this.#bytes + bytes > this.#bounds.maxBytes) return false;
    this.#entries.set(key, new Uint8Array(payload));
    this.#bytes += bytes;
    return true;
  }

  delete(key: string): boolean {
    const old = this.#entries.get(key);
    if (!old) return false;
    this.#bytes -= key.length + old.byteLength;
    return this.#entries.delete(key);
  }
}
