/** The last minute of one host's overview figures, for spark lines: a ring of fixed size, so a fleet costs the same for ever. */
export const trailTicks = 60;

export class Trail<Column extends string> {
  #next = 0;
  #length = 0;
  readonly #timesMs = new Float64Array(trailTicks);
  readonly #columns: Readonly<Record<Column, Float32Array>>;

  constructor(columns: readonly Column[]) {
    this.#columns = Object.fromEntries(columns.map((name) => [name, new Float32Array(trailTicks)])) as Record<
      Column,
      Float32Array
    >;
  }

  /** Adds a tick; one that is not newer than the newest is ignored. */
  push(timeMs: number, value: (column: Column) => number): void {
    if (this.#length > 0 && timeMs <= this.timeMs(this.#length - 1)) return;
    this.#timesMs[this.#next] = timeMs;
    for (const name of Object.keys(this.#columns) as Column[]) this.#columns[name][this.#next] = value(name);
    this.#next = (this.#next + 1) % trailTicks;
    this.#length = Math.min(trailTicks, this.#length + 1);
  }

  get length(): number {
    return this.#length;
  }

  /** Time of the tick `i`, 0 being the oldest. */
  timeMs(i: number): number {
    return this.#timesMs[this.#at(i)] ?? Number.NaN;
  }

  value(column: Column, i: number): number {
    return this.#columns[column][this.#at(i)] ?? Number.NaN;
  }

  #at(i: number): number {
    return (this.#next - this.#length + i + trailTicks) % trailTicks;
  }
}
