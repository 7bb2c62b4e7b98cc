import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planCharts } from '#lib/charts/chart-plan.ts';
import { catalogue } from '@thrum/actors/wire/catalogue';
import type { Table } from '@thrum/actors/wire/frame';
import { dividePage } from './divide-page.ts';

const table: Table = {
  id: 1,
  series: [
    ...catalogue.map(({ name, fields, metrics }) => ({
      target: name,
      fields: fields.map((field) => (field.name === 'cpu' ? 'total' : field.name)),
      metrics: metrics.map((metric) => metric.name),
    })),
    { target: 'cpu', fields: ['0'], metrics: ['usage'] },
    { target: 'cpu', fields: ['1'], metrics: ['usage'] },
  ],
};

test('CPU, memory, network and disk stand first, host and agent are folded, and no chart is lost', () => {
  const plans = planCharts(table, catalogue);
  const parts = dividePage(plans);
  assert.deepEqual(
    parts.first.map(({ plan }) => plan.title),
    ['CPU', 'Memory', 'Network traffic', 'Disk throughput'],
  );
  assert.deepEqual(
    parts.folded.map(({ target }) => target.target),
    ['host', 'agent'],
  );
  const all = [...parts.first, ...parts.second, ...parts.folded.flatMap(({ cards }) => cards)];
  assert.equal(all.length, plans.flatMap(({ charts }) => charts).length);
});

test('one core is no multiple', () => {
  const single: Table = { id: 1, series: [{ target: 'cpu', fields: ['total'], metrics: ['usage'] }] };
  assert.equal(dividePage(planCharts(single, catalogue)).cores, undefined);
});
