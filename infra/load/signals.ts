/**
 * Numbers that behave like those of a machine: of every ten metrics two stay as they are, four are counters that grow at a pace of
 * their own, four are levels that wander. From a seed, so that two fleets can be the same. Cheap on purpose: the generator must not be
 * what a measurement measures.
 */
export type Behavior = 'constant' | 'counter' | 'walk';

export const behaviorOf = (metric: number): Behavior => {
  const place = metric % 10;
  if (place < 2) return 'constant';
  return place < 6 ? 'counter' : 'walk';
};

/** Where a walk turns round. */
const highest = 100;

/** xorshift32: fast, and good enough to look like noise. Never 0. */
const nextRandom = (state: number): number => {
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
};

export class Signals {
  /** The values now, target after target; counters are whole numbers. */
  readonly values: Float64Array;
  #behaviors: Uint8Array;
  #state: number;

  constructor(metricsPerTarget: number, targets: number, seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
    this.values = new Float64Array(metricsPerTarget * targets);
    this.#behaviors = new Uint8Array(this.values.length);
    for (let i = 0; i < this.values.length; i += 1) {
      const behavior = behaviorOf(i % metricsPerTarget);
      this.#behaviors[i] = behavior === 'constant' ? 0 : behavior === 'counter' ? 1 : 2;
      this.#state = nextRandom(this.#state);
      this.values[i] = behavior === 'walk' ? (this.#state % 10_000) / 100 : this.#state % 1_000_000;
    }
  }

  /** One tick later. */
  advance(): void {
    const { values } = this;
    const behaviors = this.#behaviors;
    let state = this.#state;
    for (let i = 0; i < values.length; i += 1) {
      const behavior = behaviors[i];
      if (behavior === 0) continue;
      state = nextRandom(state);
      const value = values[i] as number;
      if (behavior === 1) values[i] = value + (state % (16 << (i % 8)));
      else {
        // In hundredths, as people round percentages; reflected at both ends.
        const moved = Math.round(value * 100) + (state % 201) - 100;
        values[i] = (moved < 0 ? -moved : moved > highest * 100 ? 2 * highest * 100 - moved : moved) / 100;
      }
    }
    this.#state = state;
  }
}
