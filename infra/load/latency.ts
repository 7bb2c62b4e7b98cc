/** Quantiles of many durations in little memory: buckets that are 2 % wide, from 10 µs to about 10 minutes. */
const smallestMs = 0.01;
const growth = 1.02;
const buckets = 900;
const perLog = 1 / Math.log(growth);

export class Latencies {
  #counts = new Uint32Array(buckets);
  count = 0;
  maxMs = 0;

  add(ms: number): void {
    const bucket = ms <= smallestMs ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / smallestMs) * perLog));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.count += 1;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** Upper end of the bucket in which the part `q` (0 to 1) of all durations is reached; NaN when there are none. */
  quantileMs(q: number): number {
    if (this.count === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(q * this.count));
    for (let i = 0; i < buckets; i += 1) {
      left -= this.#counts[i] as number;
      if (left <= 0) return Math.min(this.maxMs, smallestMs * growth ** i);
    }
    return this.maxMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
    this.maxMs = 0;
  }
}
