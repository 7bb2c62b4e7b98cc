/** Timers in order of their time, then of their making: a binary heap. One that is canceled is skipped when it comes up, so canceling costs nothing. */
export type Due = { readonly dueMs: number; readonly order: number; canceled: boolean };

const before = (one: Due, other: Due): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);

/** Canceled ones are cleared away when they are more than half of this many. */
const sweepAbove = 1024;

export class TimerHeap<T extends Due> {
  #heap: T[] = [];
  #live = 0;

  /** Those that were not canceled. */
  get size(): number {
    return this.#live;
  }

  add(entry: T): void {
    this.#live += 1;
    if (this.#heap.length > sweepAbove && this.#heap.length > 2 * this.#live) this.#sweep();
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  cancel(entry: T): void {
    if (entry.canceled) return;
    entry.canceled = true;
    this.#live -= 1;
  }

  peek(): T | undefined {
    while (this.#heap[0]?.canceled) this.#removeFirst();
    return this.#heap[0];
  }

  /** The first, which can no longer be canceled. */
  take(): T | undefined {
    const first = this.peek();
    if (!first) return undefined;
    this.#removeFirst();
    first.canceled = true;
    this.#live -= 1;
    return first;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #sweep(): void {
    const kept = this.#heap.filter((entry) => !entry.canceled);
    this.#heap = kept.sort((one, other) => (before(one, other) ? -1 : 1));
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const entry = heap[from];
    if (entry === undefined) return;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(entry, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const entry = heap[from];
    if (entry === undefined) return;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && before(right, child)) {
        below += 1;
        child = right;
      }
      if (!before(child, entry)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = entry;
  }
}
