/**
 * The vertical axis of a chart: round tops and few gridlines. It starts at zero, grows at once and shrinks only after a minute, so
 * that the picture does not jump under the reader.
 */
export type Axis = { readonly top: number; readonly bottom: number; readonly step: number };

const decimalTops = [1, 2, 3, 4, 6, 8];
const binaryTops = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768];

/** The smallest round top at or above `value`; `binary` for sizes that count by 1,024. */
export const niceTop = (value: number, binary: boolean): number => {
  if (!(value > 0)) return 1;
  const base = binary ? 1024 : 10;
  let power = base ** Math.floor(Math.log(value) / Math.log(base));
  for (let round = 0; round < 2; round += 1, power *= base)
    for (const top of binary ? binaryTops : decimalTops) if (top * power >= value * 0.9999) return top * power;
  return power;
};

/** Distance of gridlines that divides a round top into three or four. */
const stepOf = (top: number): number => {
  const thirds = [3, 6, 12, 24, 48, 96, 192, 384, 768, 1.5];
  for (const base of [10, 1024]) {
    const lead = top / base ** Math.floor(Math.log(top) / Math.log(base) + 1e-9);
    if (thirds.some((third) => Math.abs(third - lead) < 1e-6)) return top / 3;
  }
  return top / 4;
};

const shrinkAfterMs = 60_000;

/** One side of an axis that remembers: grows at once, shrinks when less was enough for a minute. */
class Side {
  #top: number | undefined;
  #neededSinceShrink = 0;
  #smallSinceMs: number | undefined;

  fit(needed: number, nowMs: number): number {
    if (this.#top === undefined || needed >= this.#top) {
      this.#top = needed;
      this.#smallSinceMs = undefined;
      return needed;
    }
    if (this.#smallSinceMs === undefined) {
      this.#smallSinceMs = nowMs;
      this.#neededSinceShrink = 0;
    }
    this.#neededSinceShrink = Math.max(this.#neededSinceShrink, needed);
    if (nowMs - this.#smallSinceMs >= shrinkAfterMs) {
      this.#top = this.#neededSinceShrink;
      this.#smallSinceMs = undefined;
    }
    return this.#top;
  }
}

export type AxisWishes = {
  /** A fixed top, such as 100 for percent. */
  readonly max?: number | undefined;
  /** The top is never below this, so that noise does not fill the picture. */
  readonly least: number;
  readonly binary: boolean;
};

export class StickyAxis {
  readonly #wishes: AxisWishes;
  #above = new Side();
  #below = new Side();

  constructor(wishes: AxisWishes) {
    this.#wishes = wishes;
  }

  /** Forgets what was: another window or another instance is drawn. */
  reset(): void {
    this.#above = new Side();
    this.#below = new Side();
  }

  /** Axis for values from `-below` to `above` (both at least 0); `mirrored` when something is drawn below zero. */
  fit(above: number, below: number, mirrored: boolean, nowMs: number): Axis {
    const { max, least, binary } = this.#wishes;
    if (max !== undefined) return { top: max, bottom: mirrored ? -max : 0, step: max / (mirrored ? 2 : 4) };
    const top = this.#above.fit(niceTop(Math.max(above, least), binary), nowMs);
    if (!mirrored) return { top, bottom: 0, step: stepOf(top) };
    const deep = this.#below.fit(niceTop(Math.max(below, least), binary), nowMs);
    // Whole steps on both sides, so that either end is a labelled line.
    const step = Math.max(top, deep) / 2;
    return { top: Math.ceil(top / step) * step, bottom: -Math.ceil(deep / step) * step, step };
  }
}

/** Gridlines of an axis, lowest first; zero is always one of them. */
export const splitsOf = ({ top, bottom, step }: Axis): number[] => {
  const splits: number[] = [];
  for (let i = Math.ceil(bottom / step - 1e-9); i * step <= top + step * 1e-9; i += 1) splits.push(i * step + 0); // no "-0"
  return splits;
};
