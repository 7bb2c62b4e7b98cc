/**
 * How the charts of a host are spread over its page: the first screen answers whether it is well, the rest follows in smaller charts,
 * and what concerns few readers is folded (and not drawn until it is unfolded).
 */
import type { ChartPlan, TargetPlan } from '#lib/charts/chart-plan.ts';

export type Card = { readonly target: TargetPlan; readonly plan: ChartPlan };

export type PageParts = {
  readonly first: readonly Card[];
  /** The processor, when it has cores to show apart. */
  readonly cores: TargetPlan | undefined;
  readonly second: readonly Card[];
  readonly folded: readonly { readonly target: TargetPlan; readonly cards: readonly Card[] }[];
};

/** Targets whose first chart is on the first screen. */
const leading = ['cpu', 'memory', 'network', 'disk'];
const foldedTargets = ['host', 'agent'];

const cardsOf = (target: TargetPlan): Card[] => target.charts.map((plan) => ({ target, plan }));

export const dividePage = (plans: readonly TargetPlan[]): PageParts => {
  const open = plans.filter(({ target }) => !foldedTargets.includes(target));
  const first = open.filter(({ target }) => leading.includes(target));
  const others = open.filter(({ target }) => !leading.includes(target));
  const cpu = plans.find(({ target }) => target === 'cpu');
  return {
    first: first.flatMap((target) => cardsOf(target).slice(0, 1)),
    cores: cpu && cpu.instances.length > 2 ? cpu : undefined,
    second: [...others.flatMap(cardsOf), ...first.flatMap((target) => cardsOf(target).slice(1))],
    folded: plans
      .filter(({ target }) => foldedTargets.includes(target))
      .map((target) => ({ target, cards: cardsOf(target) })),
  };
};
