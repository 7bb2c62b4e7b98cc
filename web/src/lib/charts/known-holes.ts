/** Stretches without samples of which the reason is known, so that no hole in a chart is a riddle. Pure. */
export type KnownHole = { readonly fromMs: number; readonly toMs: number; readonly why: string };

type Stretch = { readonly fromMs: number; readonly toMs: number };

const sharedMs = (a: Stretch, b: Stretch): number => Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs);

/** Why there is nothing in this stretch: the reason that is known for at least half of it. */
export const whyOf = (known: readonly KnownHole[], hole: Stretch): string | undefined =>
  known.find((one) => sharedMs(one, hole) >= (hole.toMs - hole.fromMs) / 2)?.why;

/** Why there is nothing at this moment. */
export const whyAt = (known: readonly KnownHole[], timeMs: number): string | undefined =>
  known.find(({ fromMs, toMs }) => timeMs >= fromMs && timeMs <= toMs)?.why;

/** What is known and shows as no hole of the data, because it is narrower than their distance. */
export const unseen = (known: readonly KnownHole[], holes: readonly Stretch[]): KnownHole[] =>
  known.filter((one) => !holes.some((hole) => sharedMs(one, hole) > 0));
