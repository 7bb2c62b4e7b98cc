/**
 * How many series a host has, so that one cannot fill the store with series: at most `maxSeries` within ten minutes. Pure; called only
 * when the shape of the host's batches changes.
 */
import type { Shape } from '@thrum/actors/wire/batch';
import { seriesKey } from '../live/table.ts';

export const forgetSeriesAfterMs = 10 * 60_000;

export class SeriesCount {
  #maxSeries: number;
  #seenMs = new Map<string, number>();
  #current: readonly string[] = [];

  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries;
  }

  /** The series of a new shape; returns the indices of those that are one too many, or `undefined` when all fit. */
  admit(shape: Shape, nowMs: number): Set<number> | undefined {
    // The shape before was alive until now, though nobody asked meanwhile.
    for (const key of this.#current) this.#seenMs.set(key, nowMs);
    const keys = shape.series.map(seriesKey);
    const admitted: string[] = [];
    let refused: Set<number> | undefined;
    // Once per shape: nothing grows old within it, and every look goes through all series.
    let looked = false;
    const madeRoom = (): boolean => {
      if (looked) return false;
      looked = true;
      return this.#forgetOld(nowMs);
    };
    keys.forEach((key, i) => {
      if (!this.#seenMs.has(key) && this.#seenMs.size >= this.#maxSeries && !madeRoom()) {
        (refused ??= new Set()).add(i);
        return;
      }
      this.#seenMs.set(key, nowMs);
      admitted.push(key);
    });
    this.#current = admitted;
    return refused;
  }

  get size(): number {
    return this.#seenMs.size;
  }

  /** The connection is gone: what it sent last was alive until now, and is not from now on. */
  pause(nowMs: number): void {
    for (const key of this.#current) this.#seenMs.set(key, nowMs);
    this.#current = [];
  }

  /** True when that made room. */
  #forgetOld(nowMs: number): boolean {
    for (const [key, seenMs] of this.#seenMs) if (nowMs - seenMs >= forgetSeriesAfterMs) this.#seenMs.delete(key);
    return this.#seenMs.size < this.#maxSeries;
  }
}
