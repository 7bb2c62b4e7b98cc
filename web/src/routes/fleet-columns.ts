/** The figures of a list row, in order: what each is called everywhere, how it is written, and what sorting by it means. */
import type { Quantity } from '#lib/charts/units.ts';
import type { SortColumn } from '#lib/hosts/order.ts';
import type { Host } from '#lib/live/host.svelte.ts';
import type { OverviewColumn } from '@thrum/actors/wire/frame';

export type FleetColumn = {
  readonly key: SortColumn;
  readonly title: string;
  readonly figures: readonly { column: OverviewColumn; metric: string; name: string; short?: string }[];
  readonly quantity: Quantity;
  readonly color: string;
  /** Full length of the bar. */
  readonly whole?: number;
  /** Width in a list. */
  readonly width: string;
  readonly trail?: 'cpu' | 'memory' | 'traffic';
};

const percent: Quantity = { unit: '%', rate: false };
const traffic: Quantity = { unit: 'bytes', rate: true };

export const fleetColumns: readonly FleetColumn[] = [
  {
    key: 'cpu',
    title: 'CPU',
    figures: [{ column: 'cpu', metric: 'cpu.usage', name: 'CPU', short: 'CPU' }],
    quantity: percent,
    color: '--blue',
    whole: 100,
    width: '104px',
    trail: 'cpu',
  },
  {
    key: 'memory',
    title: 'Memory',
    figures: [{ column: 'memory', metric: 'memory.usage', name: 'Memory', short: 'Mem' }],
    quantity: percent,
    color: '--teal',
    whole: 100,
    width: '104px',
    trail: 'memory',
  },
  {
    key: 'disk',
    title: 'Disk full',
    figures: [{ column: 'filesystem', metric: 'filesystem.usage', name: 'Fullest filesystem', short: 'Disk' }],
    quantity: percent,
    color: '--violet',
    whole: 100,
    width: '104px',
  },
  {
    key: 'load',
    title: 'Load',
    figures: [{ column: 'load1', metric: 'load.load1', name: 'Load' }],
    quantity: { unit: 'load', rate: false },
    color: '--blue',
    width: '52px',
  },
  {
    key: 'network',
    title: 'Net in / out',
    figures: [
      { column: 'received', metric: 'network.received_bytes', name: 'Received' },
      { column: 'sent', metric: 'network.sent_bytes', name: 'Sent' },
    ],
    quantity: traffic,
    color: '--orange',
    width: '152px',
    trail: 'traffic',
  },
];

/** What a host sorts by in a column: the sum of its figures, unknown when none is known. */
export const sortValue = (host: Host, key: SortColumn): number | undefined => {
  const figures = fleetColumns.find((column) => column.key === key)?.figures ?? [];
  const known = figures.map(({ column }) => host.value(column)).filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
};
