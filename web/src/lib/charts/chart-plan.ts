/**
 * Which charts a host page shows, derived from the series the host really has and the charts its targets declare.
 *
 * What a host does not measure has no chart; a target without a declaration gets one chart per metric; a metric nobody has is no
 * line. Nothing here knows a particular target except `families`, which gives each its hue and place.
 */
import type { Table } from '@thrum/actors/wire/frame';
import type { Chart, Metric, Target } from '@thrum/actors/wire/schema';
import type { Quantity } from './units.ts';

export type Hue = 'blue' | 'teal' | 'violet' | 'orange' | 'slate';

export type Line = {
  readonly metric: string;
  readonly label: string;
  readonly sentence: string;
  /** Drawn below zero. */
  readonly below: boolean;
};

export type ChartPlan = {
  readonly id: string;
  readonly target: string;
  readonly title: string;
  readonly quantity: Quantity;
  readonly stacked: boolean;
  readonly max: number | undefined;
  readonly hue: Hue;
  readonly lines: readonly Line[];
};

/** A target as one host has it: its instances (field values) and the charts to draw for each. */
export type TargetPlan = {
  readonly target: string;
  readonly title: string;
  readonly sentence: string;
  readonly instances: readonly (readonly string[])[];
  readonly charts: readonly ChartPlan[];
};

const families: readonly { target: string; hue: Hue }[] = [
  { target: 'cpu', hue: 'blue' },
  { target: 'memory', hue: 'teal' },
  { target: 'network', hue: 'orange' },
  { target: 'disk', hue: 'violet' },
  { target: 'load', hue: 'blue' },
  { target: 'filesystem', hue: 'violet' },
  { target: 'pressure', hue: 'slate' },
  { target: 'host', hue: 'slate' },
  { target: 'agent', hue: 'slate' },
];

export const hueOf = (target: string): Hue => families.find((family) => family.target === target)?.hue ?? 'slate';

/** Known families first, in their order; then the others by name. */
const placeOf = (target: string): number => {
  const place = families.findIndex((family) => family.target === target);
  return place < 0 ? families.length : place;
};

const wordsOf = (name: string): string => name.replaceAll('_', ' ');

const collator = new Intl.Collator('en', { numeric: true });

const chartOf = (target: string, chart: Chart, metrics: readonly Metric[], present: ReadonlySet<string>): ChartPlan => {
  const line = (name: string, below: boolean): Line[] => {
    const metric = metrics.find((one) => one.name === name);
    if (!present.has(name) || metric === undefined) return [];
    return [{ metric: name, label: wordsOf(name), sentence: metric.sentence, below }];
  };
  const lines = [
    ...chart.metrics.flatMap((name) => line(name, false)),
    ...(chart.below ?? []).flatMap((name) => line(name, true)),
  ];
  const first = metrics.find((metric) => metric.name === lines[0]?.metric);
  return {
    id: `${target}-${chart.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`,
    target,
    title: chart.title,
    quantity: { unit: first?.unit ?? 'count', rate: first?.kind === 'counter' },
    stacked: chart.stacked ?? false,
    max: chart.max,
    hue: hueOf(target),
    lines,
  };
};

/** A target nobody declared here: one chart for each metric, without a unit. */
const undeclared = (name: string, metrics: readonly string[]): Target => ({
  name,
  title: wordsOf(name),
  sentence: '',
  fields: [],
  metrics: metrics.map((metric) => ({ name: metric, unit: 'count', kind: 'gauge', type: 'float', sentence: '' })),
  charts: metrics.map((metric) => ({ title: `${wordsOf(name)} ${wordsOf(metric)}`, metrics: [metric] })),
});

/** Plans of all targets in the table: CPU, memory, network and disk first. */
export const planCharts = (table: Table, catalogue: readonly Target[]): TargetPlan[] => {
  const names = [...new Set(table.series.map((series) => series.target))];
  const plans = names.map((name): TargetPlan => {
    const series = table.series.filter((one) => one.target === name);
    const present = new Set(series.flatMap((one) => one.metrics));
    const declared = catalogue.find((one) => one.name === name) ?? undeclared(name, [...present]);
    return {
      target: name,
      title: declared.title,
      sentence: declared.sentence,
      instances: series.map((one) => one.fields).sort((a, b) => collator.compare(a.join(':'), b.join(':'))),
      charts: declared.charts
        .map((chart) => chartOf(name, chart, declared.metrics, present))
        .filter((chart) => chart.lines.length > 0),
    };
  });
  return plans.sort((a, b) => placeOf(a.target) - placeOf(b.target) || collator.compare(a.target, b.target));
};

/** How an instance is called on a chart: its first field, which is what people know it by. */
export const instanceName = (fields: readonly string[]): string => fields[0] ?? '';
