/** The four figures a host page opens with, from the host's own series, added up as the overview does. */
import { instanceName } from '#lib/charts/chart-plan.ts';
import type { Quantity } from '#lib/charts/units.ts';
import type { Table } from '@thrum/actors/wire/frame';

export type Figure = { readonly metric: string; readonly mark: string; readonly value: number | undefined };

export type HeadPlan = {
  readonly title: string;
  readonly quantity: Quantity;
  readonly color: string;
  /** Full height of the spark; as high as its largest value without it. */
  readonly top?: number;
  readonly parts: readonly { readonly target: string; readonly metric: string; readonly mark: string }[];
};

export const headPlans: readonly HeadPlan[] = [
  {
    title: 'CPU',
    quantity: { unit: '%', rate: false },
    color: '--blue',
    top: 100,
    parts: [{ target: 'cpu', metric: 'usage', mark: '' }],
  },
  {
    title: 'Memory',
    quantity: { unit: '%', rate: false },
    color: '--teal',
    top: 100,
    parts: [{ target: 'memory', metric: 'usage', mark: '' }],
  },
  {
    title: 'Load',
    quantity: { unit: 'load', rate: false },
    color: '--blue',
    parts: [{ target: 'load', metric: 'load1', mark: '' }],
  },
  {
    title: 'Network',
    quantity: { unit: 'bytes', rate: true },
    color: '--orange',
    parts: [
      { target: 'network', metric: 'received_bytes', mark: '↓' },
      { target: 'network', metric: 'sent_bytes', mark: '↑' },
    ],
  },
];

const counts = (target: string, fields: readonly string[]): boolean => {
  if (target === 'cpu') return instanceName(fields) === 'total';
  return target !== 'network' || instanceName(fields) !== 'lo';
};

/** Slots whose sum is a figure. */
export const slotsOf = (table: Table, target: string, metric: string): number[] => {
  const slots: number[] = [];
  let first = 0;
  for (const series of table.series) {
    const at = series.target === target && counts(target, series.fields) ? series.metrics.indexOf(metric) : -1;
    if (at >= 0) slots.push(first + at);
    first += series.metrics.length;
  }
  return slots;
};

/** The sum of what is known; unknown when nothing is. */
export const sumOf = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
};
