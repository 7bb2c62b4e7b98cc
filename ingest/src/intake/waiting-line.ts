/**
 * Handshakes that wait at the door for their turn: a fleet that comes back at once is let in one after the other, instead of being turned down and
 * knocking again, which costs both sides as much as being let in and leaves the door idle while everybody waits out a delay. Pure: time is passed in.
 *
 * Invariants: at most as many wait as can be let in before they lose patience; addresses take turns, and when the line is full whoever
 * has the most in it gives way, so nobody keeps others out by standing in line often.
 */
export type Waiting<T> = { readonly address: string; readonly sinceMs: number; readonly who: T };

export class WaitingLine<T> {
  /** Those of one address, the oldest first; the address whose turn it is comes first. */
  readonly #byAddress = new Map<string, Waiting<T>[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * Takes one more when fewer than `room` wait. In a full line the newest of the address with the most makes way for one of an address with fewer;
   * returned is who found or kept no place.
   */
  add(one: Waiting<T>, room: number): Waiting<T> | undefined {
    let without: Waiting<T> | undefined;
    if (this.#size >= room) {
      const longest = this.#longest();
      if (!longest || longest.length <= (this.#byAddress.get(one.address)?.length ?? 0) + 1) return one;
      without = longest.pop();
      this.#size -= 1;
    }
    const same = this.#byAddress.get(one.address);
    if (same) same.push(one);
    else this.#byAddress.set(one.address, [one]);
    this.#size += 1;
    return without;
  }

  /** Takes out the next; of addresses for which `mayEnter` is false nobody's turn comes, and they lose no place. */
  next(mayEnter: (address: string) => boolean): Waiting<T> | undefined {
    for (const [address, those] of this.#byAddress) {
      if (!mayEnter(address)) continue;
      this.#byAddress.delete(address);
      const first = those.shift();
      if (!first) continue;
      if (those.length > 0) this.#byAddress.set(address, those);
      this.#size -= 1;
      return first;
    }
    return undefined;
  }

  /** Takes out those that wait since before then, `max` of them at most. */
  expire(beforeMs: number, max: number): Waiting<T>[] {
    const expired: Waiting<T>[] = [];
    for (const [address, those] of this.#byAddress) {
      const fresh = those.findIndex(({ sinceMs }) => sinceMs >= beforeMs);
      const old = those.splice(0, Math.min(fresh < 0 ? those.length : fresh, max - expired.length));
      expired.push(...old);
      if (those.length === 0) this.#byAddress.delete(address);
      if (expired.length >= max) break;
    }
    this.#size -= expired.length;
    return expired;
  }

  /** Takes out those for which it holds. */
  drop(isOver: (who: T) => boolean): void {
    for (const [address, those] of this.#byAddress) {
      const staying = those.filter(({ who }) => !isOver(who));
      this.#size -= those.length - staying.length;
      if (staying.length === 0) this.#byAddress.delete(address);
      else if (staying.length < those.length) this.#byAddress.set(address, staying);
    }
  }

  #longest(): Waiting<T>[] | undefined {
    let longest: Waiting<T>[] | undefined;
    for (const those of this.#byAddress.values()) if (those.length > (longest?.length ?? 0)) longest = those;
    return longest;
  }
}
